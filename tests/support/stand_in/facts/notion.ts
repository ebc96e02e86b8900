import type { Answer, Facts } from "../types.ts";
import { answer, API, AUTHORIZATION, LIFE, lives, retryAfter, rfc7009, TOKEN } from "./common.ts";

const ORIGIN = "https://api.notion.com";

function apiError(status: number, code: string, message: string): Answer {
  return answer(status, { object: "error", status, code, message });
}

export const notion: Facts = {
  name: "notion",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${ORIGIN}/v1/oauth/authorize`, // catalogue
    required: { response_type: "code", owner: "user" }, // catalogue
    redirect_uri: "optional", // documented: in the exchange if it was in the request
    scope_separators: [], // the documented requests have no scopes
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${ORIGIN}/v1/oauth/token` }], // catalogue
    client_authentication: ["basic_raw"], // documented: Basic, of id and secret as they are
    format: "json", // catalogue
    answer: ({ access_token, refresh_token }) => ({
      // documented: no expires_in, and identity in the answer
      access_token,
      token_type: "bearer",
      refresh_token,
      bot_id: "b3414d65-1c3f-4e9a-9e3a-1a6d4c1f0a11",
      workspace_id: "8a2f1c5e-4b7d-4e51-9f5b-3d8f2c6a7b90", // catalogue
      workspace_name: "Acme",
      workspace_icon: null,
      owner: {
        type: "user",
        user: {
          object: "user",
          id: "d40e767c-d7af-4b18-a86d-55c61f1e39a4",
          type: "person",
          name: "Jane Doe",
          person: { email: "jane@acme.example" },
        },
      },
      duplicated_template_id: null,
      request_id: "f1ee2c4a-7f3e-4b57-9c86-6f1c86a7c0d5",
    }),
  },
  // documented: a new pair each time; whether the old one dies is unknown, so it does; no end is known
  life: { ...LIFE, lifetimes: lives(Infinity) },
  revocations: [
    // documented: Basic, JSON `token`; not said which: either ends all
    rfc7009(`${ORIGIN}/v1/oauth/revoke`, ["basic_raw"], {
      formats: ["json"],
      ends: { access: "grant", refresh: "grant" },
      success: answer(200, { request_id: "2b1c7a51-9f5b-4e51-8a2f-3d8f2c6a7b90" }),
    }),
  ],
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/v1/thing`,
    headers: [{
      name: "notion-version", // catalogue
      matches: /^\d{4}-\d{2}-\d{2}$/,
      otherwise: apiError(400, "missing_version", "Notion-Version header should be defined"),
    }],
    dead: [apiError(401, "unauthorized", "API token is invalid.")], // documented
    limits: [retryAfter({ object: "error", status: 429, code: "rate_limited" })],
  },
};
