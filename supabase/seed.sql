-- A user to sign in with where the stack is your own machine's: `supabase start` and `supabase db reset` run this file.
-- A hosted project never gets it, unless you push with --include-seed: the password is public.

with demo as (
  insert into auth.users (
    -- Auth looks for users of this one instance.
    instance_id,
    id,
    aud,
    role,
    email,
    encrypted_password,
    email_confirmed_at,
    raw_app_meta_data,
    raw_user_meta_data,
    created_at,
    updated_at,
    -- Auth reads these as texts and fails on null, which is their default.
    confirmation_token,
    recovery_token,
    email_change,
    email_change_token_new
  )
  values (
    '00000000-0000-0000-0000-000000000000',
    'd0000000-0000-4000-8000-000000000001',
    'authenticated',
    'authenticated',
    'demo@example.com',
    extensions.crypt('demo-password', extensions.gen_salt('bf')),
    now(),
    '{"provider": "email", "providers": ["email"]}',
    '{}',
    now(),
    now(),
    '',
    '',
    '',
    ''
  )
  -- Seeding a second time is not an error.
  on conflict do nothing
  returning id, email
)
insert into auth.identities (id, provider_id, user_id, provider, identity_data, last_sign_in_at, created_at, updated_at)
select
  gen_random_uuid(),
  id::text,
  id,
  'email',
  jsonb_build_object('sub', id::text, 'email', email, 'email_verified', true, 'phone_verified', false),
  now(),
  now(),
  now()
from demo;
