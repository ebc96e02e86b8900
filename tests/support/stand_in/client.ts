/**
 * Our registration, the same at every provider. The secret is full of what a careless encoder breaks, the id of what
 * form encoding need not change but sometimes does.
 */
export const CLIENT = { client_id: "3f1c-5c8a.9b2d_4e6f~1", client_secret: "s3cr+t%:/&=~ x" } as const;

/** Registered, and compared character by character. */
export function redirectUri(name: string): string {
  return `https://project.supabase.co/functions/v1/oauth-callback/${name}`;
}
