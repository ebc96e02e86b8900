const PERSON = {
  result_score: 0.29,
  item: {
    id: 1,
    type: "person",
    name: "Jane Doe",
    phones: ["+372 5555 0101"],
    emails: ["jane@doe.example"],
    primary_email: "jane@doe.example",
    visible_to: 3,
    owner: { id: 1 },
    organization: { id: 9, name: "Organization name", address: "Mustamäe tee 3a, 10615 Tallinn" },
    custom_fields: [],
    notes: [],
    update_time: "2026-11-26T08:00:00.000Z",
  },
};
/** The largest that one search brought in a trial: 500 persons with a note each. */
export const LARGE_PAGE_BYTES = 158_000;

/** Persons as Pipedrive's search answers them. */
function page(persons: readonly unknown[]) {
  const found = { success: true, data: { items: persons }, additional_data: { next_cursor: null } };
  return new TextEncoder().encode(JSON.stringify(found));
}

export const SMALL_PAGE = page([PERSON]);
const of_one = JSON.stringify(PERSON).length + 1;
export const LARGE_PAGE = page(Array(Math.round(LARGE_PAGE_BYTES / of_one)).fill(PERSON));
