/** One user in one company: what an installation, and so a connection, speaks for. */
export interface Account {
  company_id: number;
  company_name: string;
  /** The host's first label: `https://{company_domain}.pipedrive.com`. */
  company_domain: string;
  user_id: number;
  name: string;
  email: string;
}

/** What names an account: neither id alone is a key. */
export type AccountIds = Pick<Account, "company_id" | "user_id">;

/** Who a Pipedrive user is: their id (in the first company that has it) or `company_id:user_id`. */
export type UserChoice = number | `${number}:${number}`;

/** Who can install. Mari is one user of two companies, and two users share her company. */
export const ACCOUNTS: readonly Account[] = [
  account(7100201, "Baltic Timber", 11, "Mari Tamm", "mari.tamm@example.com"),
  account(7100201, "Baltic Timber", 12, "Jonas Weber", "jonas.weber@example.com"),
  account(7100302, "Harbour Coffee", 11, "Mari Tamm", "mari.tamm@example.com"),
  account(7100302, "Harbour Coffee", 23, "Inês Duarte", "ines.duarte@example.org"),
  account(7100403, "Polar Instruments", 31, "Sofia Lindqvist", "sofia.lindqvist@example.net"),
];

function account(
  company_id: number,
  company_name: string,
  user_id: number,
  name: string,
  email: string,
): Account {
  const company_domain = company_name.toLowerCase().replace(" ", "");
  return { company_id, company_name, company_domain, user_id, name, email };
}

/** The one string that names an account: Pipedrive's own ids, company first. */
export function keyOf(account: AccountIds): `${number}:${number}` {
  return `${account.company_id}:${account.user_id}`;
}

/** The account meant; the first one if nothing was chosen, null if there is no such account. */
export function findAccount(choice: UserChoice | string | undefined): Account | null {
  if (choice === undefined) return ACCOUNTS[0] ?? null;
  const text = String(choice);
  return ACCOUNTS.find((one) => keyOf(one) === text || String(one.user_id) === text) ?? null;
}
