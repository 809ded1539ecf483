/** docs/recipe.md, from the schema. */
import { OPEN_RS_DEFAULTS } from "./defaults.js";
import { defaultText, typeText } from "./describe.js";
import { ALIASES, INERT, UNSUPPORTED } from "./foreign.js";
import { GRPO, type RecipeKind, SFT } from "./schema.js";

const INTRODUCTION = `# The recipe

<!-- Made by scripts/generate-recipe-docs.ts from src/recipe: change the schema and run \`npx tsx scripts/generate-recipe-docs.ts\`. -->

A recipe is a YAML file of keys and values, in the spelling of TRL and open-r1. Any key can be given on the command line
instead, which wins: \`--max_steps 2\`, \`--reward_funcs accuracy format\`, \`--lr_scheduler_kwargs.min_lr_rate 0.1\`.
\`open-rs train RECIPE --dry-run\` prints the resolved recipe, which is a recipe again. Unknown keys and wrong types are
errors. Relative paths start from the working folder, those of reward files from the recipe's. What is left out takes
the defaults below: those of TRL 1.13, except where docs/decisions.md says why not.
`;

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function row(kind: RecipeKind<unknown>, key: string): string {
  const field = kind.fields[key];
  if (!field) throw new Error(`section names an unknown key ${key}`);
  const usual = defaultText(field);
  const shown = usual === undefined ? "(required)" : `\`${usual === "" ? '""' : usual}\``;
  return `| \`${key}\` | ${cell(typeText(field))} | ${cell(shown)} | ${cell(field.description ?? "")} |`;
}

function table(kind: RecipeKind<unknown>, keys: readonly string[]): string {
  return ["| key | takes | default | meaning |", "|---|---|---|---|", ...keys.map((key) => row(kind, key))].join("\n");
}

function sections(kind: RecipeKind<unknown>, leaveOut: (key: string) => boolean): string {
  return kind.sections
    .map(({ title, keys }) => ({ title, keys: keys.filter((key) => !leaveOut(key)) }))
    .filter(({ keys }) => keys.length > 0)
    .map(({ title, keys }) => `### ${title}\n\n${table(kind, keys)}\n`)
    .join("\n");
}

/** A key of both kinds that says the same in both. */
function isShared(key: string): boolean {
  const [ours, theirs] = [GRPO.fields[key], SFT.fields[key]];
  return ours !== undefined && theirs !== undefined && defaultText(ours) === defaultText(theirs);
}

function oldDefaults(): string {
  const rows = Object.entries(OPEN_RS_DEFAULTS).map(([key, value]) => {
    const field = GRPO.fields[key];
    return `| \`${key}\` | \`${value}\` | \`${field ? defaultText(field) : ""}\` |`;
  });
  return ["| key | open-rs | current |", "|---|---|---|", ...rows].join("\n");
}

function inertTable(): string {
  const rows = [...groupByReason()].map(
    ([reason, keys]) => `| ${keys.map((key) => `\`${key}\``).join(", ")} | ${reason} |`,
  );
  return ["| keys | why |", "|---|---|", ...rows].join("\n");
}

function groupByReason(): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, reason] of INERT) groups.set(reason, [...(groups.get(reason) ?? []), key]);
  return groups;
}

function unsupportedTable(): string {
  const rows = [...UNSUPPORTED].map(([key, values]) => {
    const neutral = values.filter((value) => value !== null).map((value) => `\`${value}\``);
    return `| \`${key}\` | ${neutral.join(", ") || "not at all"} |`;
  });
  return ["| key | may be given as |", "|---|---|", ...rows].join("\n");
}

function aliasTable(): string {
  const rows = Object.entries(ALIASES).map(([name, { to }]) => `| \`${name}\` | \`${to}\` |`);
  return ["| also understood | means |", "|---|---|", ...rows].join("\n");
}

export function recipeDocs(): string {
  return [
    INTRODUCTION,
    `## \`open-rs train\`: GRPO\n\n${sections(GRPO, () => false)}`,
    `## \`open-rs sft\`\n\nThe keys of Model, LoRA, Data, Steps and optimizer and Run as above, and:\n\n${sections(SFT, isShared)}`,
    `## The original's defaults\n\n\`trl_defaults: open-rs\` fills what a recipe leaves out as the TRL that open-rs pinned (69ad852) and its rewards did:\n\n${oldDefaults()}\n`,
    `## Other spellings\n\n${aliasTable()}\n`,
    `## Keys without effect\n\nAccepted, so that recipes work unchanged, and listed by \`--dry-run\`.\n\n${inertTable()}\n`,
    `## Keys that are refused\n\nThey would change the training in a way open-rs does not do.\n\n${unsupportedTable()}\n`,
  ].join("\n");
}
