import { ACCOUNTS } from "./accounts.ts";
import { CITIES, FIRST_NAMES, INTERESTS, LAST_NAMES, NOTES, ORGANIZATIONS, STREETS } from "./words.ts";

export interface Organization {
  id: number;
  name: string;
  address: string | null;
}

export interface Person {
  id: number;
  name: string;
  phones: string[];
  emails: string[];
  owner_id: number;
  organization: Organization | null;
  custom_fields: string[];
  notes: string[];
  picture_id: number | null;
}

const PERSONS_PER_COMPANY = 260;
const made = new Map<number, readonly Person[]>();

/** The persons of a company, the same at every start. */
export function personsOf(company_id: number): readonly Person[] {
  let persons = made.get(company_id);
  if (persons === undefined) {
    persons = makePersons(company_id);
    made.set(company_id, persons);
  }
  return persons;
}

function makePersons(company_id: number): Person[] {
  const random = seeded(company_id);
  const owners = ACCOUNTS.filter((one) => one.company_id === company_id).map((one) => one.user_id);
  const organizations = ORGANIZATIONS.map((name, index) => ({
    id: index + 1,
    name,
    address: index % 4 === 3
      ? null
      : `${pick(random, STREETS)} ${1 + Math.floor(random() * 90)}, ${pick(random, CITIES)}`,
  }));
  const special = SPECIAL.map((one, index) => ({ ...one, id: index + 1, owner_id: pick(random, owners) }));
  const persons: Person[] = special.map(({ at, ...one }) => ({
    ...one,
    organization: at === null ? null : organizations[at] ?? null,
    picture_id: null,
  }));
  while (persons.length < PERSONS_PER_COMPANY) {
    persons.push(makePerson(random, persons.length + 1, owners, organizations));
  }
  return persons;
}

function makePerson(
  random: () => number,
  id: number,
  owners: number[],
  organizations: Organization[],
): Person {
  const first = pick(random, FIRST_NAMES);
  const last = pick(random, LAST_NAMES);
  const organization = id % 9 === 0 ? null : pick(random, organizations);
  const domain = organization === null ? "example.com" : `${ascii(organization.name)}.example`;
  const tag = id % 17 === 0 ? "+news" : "";
  const email = `${ascii(first)}.${ascii(last)}${tag}@${domain}`;
  return {
    id,
    name: `${first} ${last}`,
    phones: id % 11 === 0 ? [] : [`+372 5${digits(random, 7)}`],
    emails: id % 13 === 0 ? [] : id % 7 === 0 ? [email, `${ascii(last)}${id}@example.org`] : [email],
    owner_id: pick(random, owners),
    organization,
    custom_fields: id % 3 === 0 ? [pick(random, INTERESTS)] : [],
    notes: id % 4 === 0 ? [pick(random, NOTES)] : [],
    picture_id: id % 5 === 0 ? 9000 + id : null,
  };
}

/** Persons whose values an encoder or a reader may stumble over; every company has them, ids from 1. */
const SPECIAL = [
  special("Jane Doe", ["jane@pipedrive.example"], ["+372 555555555"], 0),
  special("Ann Bee", ["a+b@example.com"], ["+1 (555) 010-0199"], 1),
  special("Zoë Õunapuu", ["zoe.õunapuu@example.com"], ["+372 5123 4567"], 2),
  special("Smith & Sons, 100% Ltd", ["office&sons@example.com", "100%@example.com"], [], 3),
  special('Dwayne "D=J" O\'Neil', ["dj#1@example.com"], ["+44 20 7946 0018"], null),
  special("李小龍", ["li@example.com"], ["+852 5550 1234"], null),
  special("X", ["x@example.com"], [], null),
];

function special(name: string, emails: string[], phones: string[], at: number | null) {
  return {
    name,
    emails,
    phones,
    at,
    custom_fields: ["Prefers e-mail"],
    notes: [`First contact with ${name}`],
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined) throw new Error("There is nothing to pick from");
  return one;
}

function digits(random: () => number, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
}

/** Letters an e-mail address is sure to carry. */
function ascii(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/ß/g, "ss").replace(/ø/gi, "o")
    .replace(/ł/gi, "l").replace(/[^a-z0-9]+/gi, "").toLowerCase();
}

/** Mulberry32: small, and the same everywhere. */
function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
