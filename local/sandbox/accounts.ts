import type { Account, UserChoice } from "./types.ts";

/**
 * Who can install. Mari is one user of two companies, and two users share her company: neither id alone is a key.
 */
export const ACCOUNTS: readonly Account[] = [
  account(7100201, "Baltic Timber", "baltictimber", 11, "Mari Tamm", "mari.tamm@example.com"),
  account(7100201, "Baltic Timber", "baltictimber", 12, "Jonas Weber", "jonas.weber@example.com"),
  account(7100302, "Harbour Coffee", "harbourcoffee", 11, "Mari Tamm", "mari.tamm@example.com"),
  account(7100302, "Harbour Coffee", "harbourcoffee", 23, "Inês Duarte", "ines.duarte@example.org"),
  account(
    7100403,
    "Polar Instruments",
    "polarinstruments",
    31,
    "Sofia Lindqvist",
    "sofia.lindqvist@example.net",
  ),
];

function account(
  company_id: number,
  company_name: string,
  company_domain: string,
  user_id: number,
  name: string,
  email: string,
): Account {
  return { company_id, company_name, company_domain, user_id, name, email };
}

/** The one string that names an account: Pipedrive's own ids, company first. */
export function keyOf(account: { company_id: number; user_id: number }): `${number}:${number}` {
  return `${account.company_id}:${account.user_id}`;
}

/** The account meant; the first one if nothing was chosen, null if there is no such account. */
export function findAccount(choice: UserChoice | string | undefined): Account | null {
  if (choice === undefined) return ACCOUNTS[0] ?? null;
  const text = String(choice);
  return ACCOUNTS.find((one) => keyOf(one) === text || String(one.user_id) === text) ?? null;
}
