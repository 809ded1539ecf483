/** The vocabulary of the lexer and the parser. */

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/** A line for each spelling we use, with the others behind it. */
const spellings = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split("\n")
      .flatMap((line) => {
        const [ours, ...others] = line.trim().split(" ");
        return others.map((other) => [other, ours!]);
      }),
  );

/** Functions of one argument, as commands or bare words. */
export const functions = words(`
  sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch
  arcsinh arccosh arctanh asin acos atan asinh acosh atanh ln log lg exp sqrt abs floor ceil arg Re Im det tr
  cis max min gcd lcm deg sgn sign erf`);

/** The letters before a function they are written against: `xsqrt`. */
export const gluedFunction = /^[a-zA-Z]{1,2}(?=(?:sqrt|sin|cos|tan|log|ln|exp)$)/;

/** Bare spellings that mean another function. */
export const functionAliases = spellings(`
  arcsin asin
  arccos acos
  arctan atan arctg
  arcsinh asinh arsinh
  arccosh acosh arcosh
  arctanh atanh artanh
  tan tg
  cot ctg cotg
  csc cosec
  ceil ceiling
  sgn sign`);

/** Commands that make the bracket behind them grow; a full stop behind them is none. */
export const delimiters = words("left right mleft mright");

/** Commands that only affect layout. */
export const layout = words(`
  big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle
  limits nolimits quad qquad hline thinspace medspace thickspace negthinspace negmedspace negthickspace enspace middle
  , ! ; : > / bf it cal large Large small normalsize nonumber`);

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
export const commandAliases = spellings(`
  frac dfrac tfrac cfrac sfrac nicefrac
  binom dbinom tbinom
  le leq leqslant leqq
  < lt
  > gt
  ge geq geqslant geqq
  ne neq
  | lvert rvert vert mid lVert rVert Vert
  { lbrace
  } rbrace
  [ lbrack
  ] rbrack
  ( lparen
  ) rparen
  * cdot times ast bullet
  / div
  : colon
  £ pounds textsterling
  € euro texteuro
  ¥ yen
  $ textdollar
  emptyset varnothing
  circ degree
  approx thickapprox simeq approxeq doteq
  and land wedge
  or lor vee
  to rightarrow longrightarrow
  implies Rightarrow
  iff Leftrightarrow
  setminus backslash smallsetminus
  epsilon varepsilon
  theta vartheta
  phi varphi
  rho varrho
  sigma varsigma
  operatorname operatornamewithlimits
  ldots dots cdots dotsc vdots
  cup bigcup
  cap bigcap
  i imath
  j jmath
  mod bmod`);

/** Characters outside ASCII and the LaTeX they stand for. */
export const unicode = spellings(`
  - − – — ﹣
  \\times ×
  \\cdot · ⋅ ∙
  \\div ÷
  \\pm ±
  \\mp ∓
  \\le ≤
  \\ge ≥
  \\ne ≠
  \\approx ≈
  \\equiv ≡
  \\infty ∞
  \\sqrt √
  \\cup ∪
  \\cap ∩
  \\in ∈
  \\notin ∉
  \\emptyset ∅
  ^\\circ °
  ' ′ ‘ ’
  '' ″
  \\langle ⟨
  \\rangle ⟩
  \\to →
  \\setminus ∖
  \\lfloor ⌊
  \\rfloor ⌋
  \\lceil ⌈
  \\rceil ⌉
  \\Delta Δ
  \\Omega Ω`);
// A command ends before the letter behind it.
for (const [sign, command] of Object.entries(unicode)) if (/[a-z]$/.test(command)) unicode[sign] = `${command} `;

export const greek = words(`
  alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi
  omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell sim cong`);

/** Words that change what a number says: text with one of them behind a number is no unit. */
export const qualifiers = words(`
  and or not if when for more less least most than fewer between except no none all any plus minus times over divided by
  is squared cubed percent percentage pct inf infinity degrees where otherwise`);

/** "tenths", "a quarter": parts of what the number counts. */
export const partOfOne =
  /^(?:hal(?:f|ves)|(?:third|quarter|(?:four|fif|six|seven|eigh|nin|ten|twelf|hundred|thousand|million)th)s?)$/;

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
