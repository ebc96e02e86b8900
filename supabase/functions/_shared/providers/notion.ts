import { define } from "./define.ts";

export const notion = define({
  name: "notion",
  documentation: "https://developers.notion.com/reference/refresh-a-token",
  authorization_endpoint: "https://api.notion.com/v1/oauth/authorize",
  token_endpoint: "https://api.notion.com/v1/oauth/token",
  revocation_endpoint: {
    url: "https://api.notion.com/v1/oauth/revoke",
    format: "json",
    parameters: { token: "{access_token}" },
  },
  // Whether they are decoded is not documented; a decoding server reads unreserved characters the same.
  basic_credentials: "raw",
  token_request_format: "json",
  code_challenge_methods_supported: [],
  authorization_parameters: { owner: "user" },
  // https://developers.notion.com/reference/create-a-token: the answer has no `expires_in`, so that it is used until the
  // API refuses it.
  default_expires_in: "never",
  account: {
    key: ["token:workspace_id", "token:owner.user.id"],
    name: "token:workspace_name",
    email: "token:owner.user.person.email",
  },
  api: {
    base: "https://api.notion.com",
    headers: { authorization: "Bearer {access_token}", "notion-version": "2022-06-28" },
  },
});
