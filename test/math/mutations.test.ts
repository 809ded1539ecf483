/** Answers with a character dropped, doubled, swapped or put in: nothing throws, and what can be read equals itself. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { canParse, explain, verify } from "../../src/math/index.js";

const answers = String.raw`
\frac{3}{4}|\sqrt{2}+1|x^2-3x+2|(-\infty, 3]\cup(5,7)|\{1, 2, 3\}|\begin{pmatrix}1&2\\3&4\end{pmatrix}|5\text{ cm}^2|\$12.50
4:30|213_5|x=2\text{ or }x=-2|2 \le x < 7|\sin^2 x+C|e^{i\pi}|\binom{9}{4}|\int_0^1 x^2\,dx|\sum_{k=1}^{9} k|0.1\overline{6}
\text{(B)}|f(x)=x+1|7 \pmod{11}|40^\circ|2+3=5|\left(\frac12, -3\right)|\{x \mid x > 0\}|1{,}234|3 \pm \sqrt5|12\%|\lfloor 7/2 \rfloor
`
  .trim()
  .split(/[|\n]/);

const mutation = fc
  .tuple(
    fc.constantFrom(...answers),
    fc.array(
      fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.constantFrom(..."\\{}()[]^_&$%,:=|'!-x7 \0\u0301")),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  )
  .map(([answer, edits]) => edits.reduce(edited, answer));

function edited(text: string, [position, kind, char]: [number, number, string]): string {
  const at = position % (text.length + 1);
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  if (kind === 0) return head + tail.slice(1);
  if (kind === 1) return head + char + tail;
  if (kind === 2) return head + tail.slice(0, 1) + tail;
  return head + tail.slice(1, 2) + tail.slice(0, 1) + tail.slice(2);
}

test("each answer equals itself", () => {
  for (const answer of answers) expect(verify(answer, `\\boxed{${answer}}`), answer).toBe(true);
});

test("nothing throws, whichever of two is broken", () => {
  fc.assert(
    fc.property(mutation, mutation, fc.constantFrom(...answers), (a, b, whole) => {
      for (const [gold, prediction] of [
        [a, b],
        [whole, a],
        [a, whole],
      ]) {
        expect(explain(gold!, `\\boxed{${prediction}}`).rule).not.toMatch(/internal/);
        expect(explain(gold!, prediction!, "evaluation").rule).not.toMatch(/internal/);
      }
    }),
    { numRuns: 200 },
  );
});

test("a gold that can be read equals itself in a box", () => {
  const balanced = (text: string): boolean => {
    let depth = 0;
    for (const [brace] of text.replace(/\\./gs, "").matchAll(/[{}]/g)) {
      depth += brace === "{" ? 1 : -1;
      if (depth < 0) return false;
    }
    return depth === 0 && !text.endsWith("\\");
  };
  fc.assert(
    fc.property(mutation, (gold) => {
      fc.pre(balanced(gold) && !/[$]/.test(gold) && canParse(gold));
      expect(verify(gold, `\\boxed{${gold}}`)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("one digit changed is another answer", () => {
  const numeric = answers.filter(
    (answer) => /\d/.test(answer) && !/[:%_]|\\(?:int|sum|binom|lfloor|pmod|overline)/.test(answer),
  );
  fc.assert(
    fc.property(fc.constantFrom(...numeric), fc.nat(), fc.integer({ min: 1, max: 9 }), (gold, which, by) => {
      const digits = [...gold.matchAll(/\d/g)];
      const { index } = digits[which % digits.length]!;
      const digit = (Number(gold[index]) + by) % 10;
      const changed = `${gold.slice(0, index)}${digit}${gold.slice(index + 1)}`;
      expect(verify(gold, `\\boxed{${changed}}`)).toBe(false);
    }),
    { numRuns: 300 },
  );
});
