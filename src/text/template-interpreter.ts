/** A chat template's interpreter that counts its steps and the sizes of its values: a template is other people's program. */
import { Environment, Interpreter, type Template } from "@huggingface/jinja";

/** Typed by what we use of it: the library's declarations import without extensions, which resolves to `any` under NodeNext. */
interface Evaluator {
  evaluate(statement: unknown, environment: unknown): { value?: unknown };
  run(program: unknown): { value?: unknown };
}
interface Statement {
  type?: string;
  /** Of a loop; `lhs` where it has an `if`. */
  iterable?: { lhs?: object };
}
const Base = Interpreter as unknown as new (environment: unknown) => Evaluator;

/** Real templates take some hundred steps a message. */
const MOST_STEPS = 2_000_000;
const ROUND_STEPS = 4;
const MOST_CHARACTERS = 16 * 2 ** 20;
const MOST_ITEMS = 1_000_000;
const MOST_RANGE = 100_000;

class CountingInterpreter extends Base {
  #steps = 0;
  /** What loops go over: a round takes time also where its body is empty. */
  readonly #looped = new WeakSet<object>();
  readonly #counted = new WeakMap<object, number>();

  override evaluate(statement: unknown, environment: unknown): { value?: unknown } {
    this.#count(1);
    const { type, iterable } = (statement ?? {}) as Statement;
    if (type === "For" && iterable) this.#looped.add(iterable.lhs ?? iterable);
    const result = super.evaluate(statement, environment);
    this.#weigh(result.value);
    if (Array.isArray(result.value) && this.#looped.has(statement as object))
      this.#count(ROUND_STEPS * result.value.length);
    return result;
  }

  #count(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS) throw new Error(`it takes more than ${MOST_STEPS} steps`);
  }

  /** Whatever reads a value pays for its size. */
  #weigh(value: unknown): void {
    if (typeof value === "string") {
      if (value.length > MOST_CHARACTERS) throw new Error(`it makes a text of more than ${MOST_CHARACTERS} characters`);
      this.#count(value.length / 1024);
    } else if (Array.isArray(value)) {
      if (this.#items(value) > MOST_ITEMS) throw new Error(`it makes a list of more than ${MOST_ITEMS} items`);
      this.#count(value.length / 16);
    }
  }

  /** With those of the lists in it: written out, a list of itself twice, 30 times over, is a billion. Lists do not change. */
  #items(list: readonly { value?: unknown }[]): number {
    let items = this.#counted.get(list);
    if (items !== undefined) return items;
    items = list.length;
    for (const { value } of list) if (Array.isArray(value)) items += this.#items(value);
    this.#counted.set(list, items);
    return items;
  }
}

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (step === 0) throw new Error("range() with a step of 0");
  if (length > MOST_RANGE) throw new Error(`range() of ${length} numbers, ${MOST_RANGE} at most`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** As `Template.render`, within the limits above. */
export function renderCounted(template: Template, now: Template, values: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  const globals = {
    ...{ false: false, true: true, none: null, False: false, True: true, None: null },
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    range,
    strftime_now: (format: string) => now.render({ format }),
  };
  for (const [name, value] of Object.entries({ ...globals, ...values })) environment.set(name, value);
  return String(new CountingInterpreter(environment).run(template.parsed).value);
}
