import type { Call } from "./call.ts";
import type { AccessRecord } from "./world.ts";

/** Whom the token speaks for. */
export function answerMe(_call: Call, access: AccessRecord): Response {
  const { account } = access.grant;
  return Response.json({
    success: true,
    data: {
      id: account.user_id,
      name: account.name,
      default_currency: "EUR",
      locale: "en_US",
      lang: 1,
      email: account.email,
      phone: null,
      activated: true,
      last_login: "2026-03-02 08:45:56",
      created: "2023-05-13 09:16:26",
      modified: "2026-03-02 08:45:56",
      has_created_company: false,
      access: [{ app: "sales", admin: true, permission_set_id: "62cc4d7f-4038-4352-abf3-a8c1c822b631" }],
      active_flag: true,
      timezone_name: "Europe/Tallinn",
      timezone_offset: "+02:00",
      role_id: 1,
      icon_url: null,
      is_you: true,
      is_deleted: false,
      company_id: account.company_id,
      company_name: account.company_name,
      company_domain: account.company_domain,
      company_country: "EE",
      company_industry: "Other",
      language: { language_code: "en", country_code: "US" },
    },
  });
}
