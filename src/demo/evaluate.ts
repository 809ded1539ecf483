import { makePrompts } from "../data/index.js";
import { Engine } from "../engine/index.js";
import { type Interval, wilson } from "../eval/interval.js";
import { verify } from "../math/index.js";
import { loadModel } from "../model/index.js";
import { loadTokenizer } from "../text/index.js";
import { LEVELS, type Level, type Problem } from "./problems.js";

/** One held-out problem with what a model made of it. */
export interface Attempt {
  problem: Problem;
  completion: string;
  tokens: number;
  correct: boolean;
}

export interface Evaluation {
  attempts: Attempt[];
  accuracy: Interval;
  byLevel: Map<Level, Interval>;
  meanTokens: number;
}

export interface EvaluateOptions {
  /** Folder of the checkpoint. */
  model: string;
  problems: readonly Problem[];
  /** 0: greedy. */
  temperature: number;
  maxTokens: number;
  seed: number;
}

/** One completion per problem, checked by the verifier the reward uses. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { problems, temperature, maxTokens, seed } = options;
  const model = loadModel(options.model, { dtype: "float32" });
  const tokenizer = loadTokenizer(options.model);
  const rows = problems.map((problem) => ({ problem: problem.problem }));
  const { prompts } = makePrompts(rows, { tokenizer });
  const completions = await new Engine(model, tokenizer).generate(
    prompts.map((prompt) => prompt.ids),
    { temperature, maxTokens, seed },
  );
  model.dispose();
  const attempts = problems.map((problem, i): Attempt => {
    const { text, ids } = completions[i]![0]!;
    return { problem, completion: text, tokens: ids.length, correct: verify(problem.solution, text) };
  });
  return { attempts, ...summary(attempts) };
}

function summary(attempts: readonly Attempt[]): Omit<Evaluation, "attempts"> {
  const accuracyOf = (of: readonly Attempt[]) => wilson(of.filter((attempt) => attempt.correct).length, of.length);
  const atLevel = (level: Level) => attempts.filter((attempt) => attempt.problem.level === level);
  return {
    accuracy: accuracyOf(attempts),
    byLevel: new Map(LEVELS.map((level) => [level, accuracyOf(atLevel(level))])),
    meanTokens: attempts.reduce((sum, attempt) => sum + attempt.tokens, 0) / attempts.length,
  };
}
