// @ts-types="@types/oidc-provider"
import type { Adapter, AdapterPayload } from "oidc-provider";

/** What `oidc-provider` keeps, in memory, where it can be looked at and ended from outside. */
export class Storage {
  readonly #kept = new Map<string, AdapterPayload>();

  /** Where one kind of thing is kept, as the library wants it. */
  readonly shelf = (kind: string): Adapter => {
    const kept = this.#kept;
    const keyOf = (id: string) => `${kind}:${id}`;
    const find = (field: "uid" | "userCode", value: string) =>
      Promise.resolve(this.#of(kind).find(([, payload]) => payload[field] === value)?.[1]);
    return {
      upsert: (id, payload) => done(() => kept.set(keyOf(id), payload)),
      find: (id) => Promise.resolve(kept.get(keyOf(id))),
      findByUid: (uid) => find("uid", uid),
      findByUserCode: (code) => find("userCode", code),
      consume: (id) =>
        done(() => {
          const payload = kept.get(keyOf(id));
          if (payload) payload.consumed = Math.floor(Date.now() / 1000);
        }),
      destroy: (id) => done(() => kept.delete(keyOf(id))),
      revokeByGrantId: (grant) =>
        done(() => this.#of(kind).forEach(([key, { grantId }]) => grantId === grant && kept.delete(key))),
    };
  };

  /** Refresh tokens that were not spent. */
  grants(): number {
    return this.#of("RefreshToken").filter(([, { consumed }]) => !consumed).length;
  }

  /** Forgets every access token. */
  expire(): void {
    for (const [key] of this.#of("AccessToken")) this.#kept.delete(key);
  }

  /** Forgets everything, who is signed in included. */
  end(): void {
    this.#kept.clear();
  }

  #of(kind: string): [string, AdapterPayload][] {
    return [...this.#kept].filter(([key]) => key.startsWith(`${kind}:`));
  }
}

function done(work: () => unknown): Promise<void> {
  work();
  return Promise.resolve();
}
