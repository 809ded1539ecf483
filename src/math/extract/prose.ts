/** Answers in plain words, for the evaluation preset: announcements in several languages, choices, numbers. */

/** What announces an answer in English, French, Spanish, Portuguese, German, Italian, Russian, Chinese, Japanese … */
const nouns =
  "answer|result|r[ée]ponse|respuesta|resposta|antwort|risposta|ответ|答案?|答え|解答|정답|الإجابة|الجواب|उत्तर";
const verbs = "(?:is|was|equals|est|es|ist|lautet)\\b|[éè]\\s|是|为|為|は|은|는|هي|هو|है";
const announced = new RegExp(`(?:${nouns})(?:\\sfinale?)?\\s{0,3}(?:${verbs}|[:：=])[\\s:：*=]{0,8}`, "giu");

/** The position behind the last announcement. */
export function announcementEnd(text: string): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(announced)) end = match.index + match[0].length;
  return end;
}

/** The sentence that begins `text`, without its full stop. */
export const sentence = (text: string): string =>
  /^[^\n]{0,200}?(?=\s*(?:\n|$|<\||[。।])|[.](?:\s|$))/u.exec(text)?.[0] ?? text.slice(0, 200);

/** `D, because …`, `**(B)** 12`, `Option C.`: the letter a sentence chooses. */
export function chosenLetter(text: string): string | undefined {
  const match = /^\W{0,4}(?:(?:option|choice)\s)?\(?([A-J])(?:\)|\*\*|[.,:;](?=\s|$)|\s(?=because|since|as)|$)/i.exec(
    text,
  );
  return match && match[1] === match[1]!.toUpperCase() ? match[1] : undefined;
}

const number =
  /(?<![a-zA-Z\d_.,^{])[-−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:[.,]\d+)?(?:\/\d+)?(?:\s?(?:[%％]|percent\b))?|(?<![\da-zA-Z])[-−]?\.\d+/gu;

/** Words a number only numbers. */
const reference =
  /(?:step|case|figure|fig\.|equation|eq\.|problem|question|part|page|section|theorem|lemma|example|line|\d\))\s?\(?$/i;

/** The last plain number of the text with its position; a full stop or comma behind it is not part of it. */
export function lastNumber(text: string): { text: string; at: number } | undefined {
  let found: { text: string; at: number } | undefined;
  for (const match of text.matchAll(number)) {
    if (!reference.test(text.slice(Math.max(0, match.index - 12), match.index)))
      found = { text: match[0], at: match.index };
  }
  // A comma with anything but three digits behind it is a decimal one.
  return found && { ...found, text: found.text.replace(/^([-−]?\d+),(\d{1,2}|\d{4,})(?!\d)/, "$1.$2") };
}

/** `\frac{2}{5}`, `3\sqrt{2}` standing in prose without delimiters: the last one. */
export function lastBareFormula(text: string): string | undefined {
  const runs = text.match(/-?\d{0,20}\\(?:[dt]?frac\s?\{[^{}]{1,80}\}\s?\{[^{}]{1,80}\}|sqrt\s?\{[^{}]{1,80}\})/g);
  return runs?.at(-1);
}

/** Whether a text is words rather than a formula: two words in Latin letters, or a run of any other script. */
export const isWords = (text: string): boolean =>
  /[a-z]{2}\s{1,9}[a-z]{2}|[a-z]{4}\s?:|[^\P{L}\p{Script=Latin}\p{Script=Greek}]/iu.test(text);

/** "5 or more", "between 2 and 3": more than the number in it. */
export const isOpenEnded = (text: string): boolean =>
  /\b(?:or (?:more|less|fewer|greater)|at (?:least|most)|between|not|more than|less than)\b/i.test(text);

const zeros = [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xff10];

/** Arabic, Indian, Thai and full-width digits as 0 to 9. */
export const asciiDigits = (text: string): string =>
  text.replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0)!;
    const zero = zeros.find((first) => code >= first && code < first + 10);
    return zero === undefined ? digit : String(code - zero);
  });
