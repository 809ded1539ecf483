/** Answers in plain words, for the evaluation preset: announcements in several languages, choices, numbers. */

/** What announces an answer, a colon behind a word in another script too; elsewhere the last number is taken. */
const announced =
  /(?:(?:answer|result|respuesta|réponse|antwort)(?:\s(?:is|was|equals|es|est|ist)(?!\p{L})|\s{0,3}[:：=])|答案?[是为為:：]|(?!\p{sc=Han})[^\0-\x7f]\s?[:：])[\s:：*=]{0,8}/giu;

/** The last fraction or root without delimiters, with the position behind it. */
export function bareFormula(text: string): { content: string; end: number } | undefined {
  const found = [
    ...text.matchAll(/[-−]?\d{0,9}\\(?:[dt]?frac\{[^{}\s]{1,40}\}\{[^{}\s]{1,40}\}|sqrt\{[^{}\s]{1,40}\})/g),
  ].at(-1);
  return found && { content: found[0], end: found.index + found[0].length };
}

/** The position behind the last announcement. */
export function announcementEnd(text: string): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(announced)) end = match.index + match[0].length;
  return end;
}

/** The sentence that begins `text`, without its full stop. */
export const sentence = (text: string): string =>
  /^[^\n]{0,200}?(?=\s*(?:\n|$|<\||[。।])|[.](?:\s|$))/u.exec(text)?.[0] ?? text.slice(0, 200);

const number =
  /(?<![a-zA-Z\d_.,^{])[-−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:[.,]\d+)?(?:\/\d+)?(?:\s?(?:[%％]|percent\b))?|(?<![\da-zA-Z])[-−]?\.\d+/gu;

/** The last plain number of the text with its position; a full stop or comma behind it is not part of it. */
export function lastNumber(text: string): { text: string; at: number } | undefined {
  let found: { text: string; at: number } | undefined;
  for (const match of text.matchAll(number)) found = { text: match[0], at: match.index };
  // A comma with anything but three digits behind it is a decimal one.
  return found && { ...found, text: found.text.replace(/^([-−]?\d+),(\d{1,2}|\d{4,})(?!\d)/, "$1.$2") };
}

/** Whether a text is words rather than a formula: two words in Latin letters, or a run of any other script. */
export const isWords = (text: string): boolean =>
  /[a-z]{2}\s{1,9}[a-z]{2}|[a-z]{4}\s?:|[^\P{L}\p{Script=Latin}\p{Script=Greek}]/iu.test(text);

/** "5 or more", "between 2 and 3": more than the number in it. */
export const isOpenEnded = (text: string): boolean => /\b(?:or|at least|at most|between|not|than)\b/i.test(text);
