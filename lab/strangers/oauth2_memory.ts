import OAuth2Server from "@node-oauth/oauth2-server";
import type { Registered } from "./stranger.ts";

/** What `@node-oauth/oauth2-server` asks of whoever uses it, in memory: codes and refresh tokens work once. */
export class Memory implements OAuth2Server.AuthorizationCodeModel, OAuth2Server.RefreshTokenModel {
  readonly #registered: Registered;
  readonly #client: OAuth2Server.Client;
  readonly #codes = new Map<string, OAuth2Server.AuthorizationCode>();
  readonly #access_tokens = new Map<string, OAuth2Server.Token>();
  readonly #refresh_tokens = new Map<string, OAuth2Server.RefreshToken>();

  constructor(registered: Registered) {
    this.#registered = registered;
    const refresh = registered.gives_refresh_tokens ? ["refresh_token"] : [];
    const grants = ["authorization_code", ...refresh];
    this.#client = { id: registered.client_id, redirectUris: [registered.redirect_uri], grants };
  }

  /** @param secret null: a browser asks, which has none. Left out: it is missing where there should be one */
  getClient(id: string, secret?: string | null): Promise<OAuth2Server.Client | null> {
    const { client_id, client_secret } = this.#registered;
    const known = id === client_id && (secret === null || secret === client_secret);
    return Promise.resolve(known ? this.#client : null);
  }

  /** At any port (RFC 8252 §7.3). */
  validateRedirectUri(uri: string): Promise<boolean> {
    const url = new URL(uri);
    url.port = "";
    return Promise.resolve(url.href === this.#registered.redirect_uri);
  }

  saveAuthorizationCode(
    code: OAuth2Server.AuthorizationCode,
    client: OAuth2Server.Client,
    user: OAuth2Server.User,
  ): Promise<OAuth2Server.AuthorizationCode> {
    const saved = { ...code, client, user };
    this.#codes.set(code.authorizationCode, saved);
    return Promise.resolve(saved);
  }

  getAuthorizationCode(code: string): Promise<OAuth2Server.AuthorizationCode | undefined> {
    return Promise.resolve(this.#codes.get(code));
  }

  revokeAuthorizationCode({ authorizationCode }: OAuth2Server.AuthorizationCode): Promise<boolean> {
    return Promise.resolve(this.#codes.delete(authorizationCode));
  }

  saveToken(
    token: OAuth2Server.Token,
    client: OAuth2Server.Client,
    user: OAuth2Server.User,
  ): Promise<OAuth2Server.Token> {
    const saved: OAuth2Server.Token = { ...token, client, user };
    if (!this.#registered.gives_refresh_tokens) delete saved.refreshToken;
    const { accessToken, refreshToken } = saved;
    this.#access_tokens.set(accessToken, saved);
    if (refreshToken) this.#refresh_tokens.set(refreshToken, { ...saved, refreshToken });
    return Promise.resolve(saved);
  }

  getAccessToken(token: string): Promise<OAuth2Server.Token | undefined> {
    return Promise.resolve(this.#access_tokens.get(token));
  }

  getRefreshToken(token: string): Promise<OAuth2Server.RefreshToken | undefined> {
    return Promise.resolve(this.#refresh_tokens.get(token));
  }

  /** False where another request has spent it first. */
  revokeToken({ refreshToken }: OAuth2Server.RefreshToken): Promise<boolean> {
    return Promise.resolve(this.#refresh_tokens.delete(refreshToken));
  }

  /** Refresh tokens that were not spent; where there are none, access tokens that live. */
  grants(): number {
    if (this.#registered.gives_refresh_tokens) return this.#refresh_tokens.size;
    const now = Date.now();
    const ends = [...this.#access_tokens.values()].map(({ accessTokenExpiresAt }) => accessTokenExpiresAt);
    return ends.filter((end) => end !== undefined && end.getTime() > now).length;
  }

  expire(): void {
    this.#access_tokens.clear();
  }

  /** RFC 7009 §2.1: with either token the other goes. Whose it is need not be asked: there is jane alone. */
  revoke(token: string): void {
    if (this.#access_tokens.has(token) || this.#refresh_tokens.has(token)) this.end();
  }

  end(): void {
    this.#codes.clear();
    this.#access_tokens.clear();
    this.#refresh_tokens.clear();
  }
}
