/** The whole gate, in the order in which it fails fastest. */
const pinned = (await Deno.readTextFile(new URL("../.tool-versions", import.meta.url))).match(/^deno (\S+)/m)
  ?.[1];
if (Deno.version.deno !== pinned) {
  console.error(
    `This is Deno ${Deno.version.deno}; the project is pinned to ${pinned}: npx -y deno@${pinned} task ok`,
  );
  Deno.exit(1);
}

const steps: readonly (readonly [string, readonly string[]])[] = [
  ["formatting", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["types", ["check", "."]],
  ["import rules", ["run", "--allow-read", "tests/import_rules.ts"]],
  ["the hosted runtime's Deno", ["run", "-A", "tests/hosted_runtime.ts"]],
  ["the real pg_cron, where it can be had", ["run", "-A", "lab/schedule/get_pg_cron.ts"]],
  ["the deploy", ["test", "-A", "lab/deploy"]],
  ["the page, in a browser", ["test", "-A", "lab/browser"]],
  ["every scenario of docs/reliability.md, at small numbers", ["test", "-A", "lab/chaos"]],
  ["tests", ["run", "-A", "tests/run.ts"]],
];

for (const [name, args] of steps) {
  console.log(`\n── ${name}`);
  const { code } = await new Deno.Command(Deno.execPath(), { args: [...args] }).spawn().status;
  if (code !== 0) {
    console.error(`\n${name}: failed`);
    Deno.exit(code);
  }
}
