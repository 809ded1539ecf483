/** The vocabulary of the lexer and the parser. */

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/** Functions of one argument, as commands or bare words. */
export const functions = words(`
  sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch
  arcsinh arccosh arctanh asin acos atan asinh acosh atanh ln log lg exp sqrt abs floor ceil arg Re Im det tr
  cis max min gcd lcm deg sgn sign erf`);

/** The letters before a function they are written against: `xsqrt`. */
export const gluedFunction = /^[a-zA-Z]{1,2}(?=(?:sqrt|sin|cos|tan|log|ln|exp)$)/;

/** Bare spellings that mean another function. */
export const functionAliases: Record<string, string> = {
  asin: "arcsin",
  acos: "arccos",
  atan: "arctan",
  asinh: "arcsinh",
  acosh: "arccosh",
  atanh: "arctanh",
  arsinh: "arcsinh",
  arcosh: "arccosh",
  artanh: "arctanh",
  tg: "tan",
  ctg: "cot",
  cotg: "cot",
  cosec: "csc",
  arctg: "arctan",
  ceiling: "ceil",
  sign: "sgn",
};

/** Commands that make the bracket behind them grow; a full stop behind them is none. */
export const delimiters = words("left right mleft mright");

/** Commands that only affect layout. */
export const layout = words(`
  big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle
  limits nolimits quad qquad hline thinspace medspace thickspace negthinspace negmedspace negthickspace enspace hfill noindent mathstrut strut middle centering
  , ! ; : > / bf it cal large Large small normalsize allowbreak nonumber protect`);

/** The layout commands that size a bracket: what stands before it still touches it. */
export const brackets = words("big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr");
/** Commands whose argument is nothing of the answer: colours, spaces, labels. */
export const invisible = words("color textcolor colorbox hspace vspace phantom hphantom vphantom tag label");

/** Commands whose braced argument is text or a font change. `font` ones are read as mathematics. */
export const textCommands = words("text textrm textsf textnormal mbox hbox mathrm operatorname textup rm");
export const fontCommands = words(
  "mathbf boldsymbol mathit textbf textit emph bm mathsf mathcal mathscr mathfrak ensuremath underline boxed fbox framebox displaylines",
);
/** Accents: `\hat{x}` is another variable than x. */
export const accents = words(
  "hat bar vec tilde dot ddot overline overrightarrow widehat widetilde check breve mathring overarc",
);

/** One spelling for each command. */
export const commandAliases: Record<string, string> = {
  dfrac: "frac",
  tfrac: "frac",
  cfrac: "frac",
  sfrac: "frac",
  nicefrac: "frac",
  dbinom: "binom",
  tbinom: "binom",
  choose: "choose",
  leq: "le",
  leqslant: "le",
  leqq: "le",
  lt: "<",
  gt: ">",
  geq: "ge",
  geqslant: "ge",
  geqq: "ge",
  neq: "ne",
  lvert: "|",
  rvert: "|",
  vert: "|",
  mid: "|",
  lVert: "|",
  rVert: "|",
  Vert: "|",
  lbrace: "{",
  rbrace: "}",
  lbrack: "[",
  rbrack: "]",
  lparen: "(",
  rparen: ")",
  cdot: "*",
  times: "*",
  ast: "*",
  bullet: "*",
  div: "/",
  colon: ":",
  pounds: "£",
  textsterling: "£",
  euro: "€",
  texteuro: "€",
  yen: "¥",
  textdollar: "$",
  varnothing: "emptyset",
  degree: "circ",
  thickapprox: "approx",
  simeq: "approx",
  approxeq: "approx",
  doteq: "approx",
  land: "and",
  wedge: "and",
  lor: "or",
  vee: "or",
  rightarrow: "to",
  longrightarrow: "to",
  Rightarrow: "implies",
  Leftrightarrow: "iff",
  backslash: "setminus",
  smallsetminus: "setminus",
  varepsilon: "epsilon",
  vartheta: "theta",
  varphi: "phi",
  varrho: "rho",
  varsigma: "sigma",
  operatornamewithlimits: "operatorname",
  dots: "ldots",
  cdots: "ldots",
  dotsc: "ldots",
  vdots: "ldots",
  bigcup: "cup",
  bigcap: "cap",
  imath: "i",
  jmath: "j",
  geqslantslant: "ge",
  bmod: "mod",
};

/** Characters outside ASCII and the LaTeX they stand for. */
export const unicode: Record<string, string> = {
  "−": "-",
  "–": "-",
  "—": "-",
  "﹣": "-",
  "×": "\\times ",
  "·": "\\cdot ",
  "⋅": "\\cdot ",
  "∙": "\\cdot ",
  "÷": "\\div ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "≡": "\\equiv ",
  "∞": "\\infty ",
  "√": "\\sqrt ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∉": "\\notin ",
  "∅": "\\emptyset ",
  "°": "^\\circ ",
  "′": "'",
  "″": "''",
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "→": "\\to ",
  "∖": "\\setminus ",
  "⌊": "\\lfloor ",
  "⌋": "\\rfloor ",
  "⌈": "\\lceil ",
  "⌉": "\\rceil ",
  ℝ: "\\mathbb{R}",
  ℤ: "\\mathbb{Z}",
  ℕ: "\\mathbb{N}",
  ℚ: "\\mathbb{Q}",
  ℂ: "\\mathbb{C}",
  "½": "\\frac{1}{2}",
  "⅓": "\\frac{1}{3}",
  "⅔": "\\frac{2}{3}",
  "¼": "\\frac{1}{4}",
  "¾": "\\frac{3}{4}",
  "⁰": "^0",
  "¹": "^1",
  "²": "^2",
  "³": "^3",
  "⁴": "^4",
  "⁵": "^5",
  "⁶": "^6",
  "⁷": "^7",
  "⁸": "^8",
  "⁹": "^9",
  "\u00a0": " ",
  "\u2009": " ",
  "\u202f": " ",
  "‘": "'",
  "’": "'",
  "％": "\\%",
  "，": ",",
  "；": ";",
  "（": "(",
  "）": ")",
  "＝": "=",
  "＋": "+",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  δ: "\\delta ",
  ε: "\\epsilon ",
  θ: "\\theta ",
  λ: "\\lambda ",
  μ: "\\mu ",
  π: "\\pi ",
  ρ: "\\rho ",
  σ: "\\sigma ",
  τ: "\\tau ",
  φ: "\\phi ",
  ω: "\\omega ",
  Δ: "\\Delta ",
  Ω: "\\Omega ",
};

export const greek = words(`
  alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi
  omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ell Re Im partial nabla aleph infty emptyset ldots
  perp parallel prime triangle angle square heartsuit clubsuit diamondsuit spadesuit star dagger oplus ominus top bot
  odot sim cong Box checkmark`);

/** Words that change what a number says: text with one of them behind a number is no unit. */
export const qualifiers = words(`
  and or not if when for more less least most than fewer between except no none all any plus minus times over divided by
  half halves third thirds quarter quarters fourths fifths sixths sevenths eighths ninths tenths twelfths
  hundredth hundredths thousandth thousandths millionths is squared cubed percent percentage pct inf infinity degrees where otherwise`);

/** Words that take back what stands beside them, or leave a choice. */
export const denials = words(`
  not no nor neither never wrong false incorrect isn't isnt cannot unless except or maybe perhaps`);

/** Signs of currencies and the units they stand for. */
export const currencies: Record<string, string> = {
  $: "dollars",
  "€": "euros",
  "£": "pounds",
  "¥": "yen",
  "₹": "rupees",
};

/** Number words behind a number: `5 million`. */
export const magnitudes: Record<string, bigint> = {
  dozen: 12n,
  hundred: 100n,
  thousand: 1000n,
  million: 10n ** 6n,
  billion: 10n ** 9n,
  trillion: 10n ** 12n,
};

/** Words between answers. */
export const conjunctions = words("and or");
