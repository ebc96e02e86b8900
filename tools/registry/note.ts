/** What a registry cannot merge into a project, for the CLI to print after it wrote the files. */
export function note(version: string, functions: readonly string[]): string {
  return `oauth-tokens ${version} is in your project. What no command can do for you, once:

1. Append to supabase/config.toml. The functions verify their callers themselves; without these lines the gateway
   refuses the provider's redirects.

${functions.map(section).join("\n")}
2. Type-checked by your front end? Add "supabase" to the "exclude" of its tsconfig.json.

3. Copy supabase/functions/.env.example to supabase/functions/.env.local, which git ignores, and fill it in.

And with every version, in this order:

npx supabase@3.1.0 db push --remote --include-all
npx supabase@3.1.0 secrets set --env-file supabase/functions/.env.local
npx supabase@3.1.0 functions deploy --use-api ${functions.join(" ")}

--include-all: these migrations may be older than your project's last one. They refer to nothing of yours.
docs/add-to-a-project.md, where you got this address, goes on from here.
`;
}

function section(name: string): string {
  return `[functions.${name}]\nverify_jwt = false\n`;
}
