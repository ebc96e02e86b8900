-- Tokens that differ: one that lives until the API refuses it, and an authorization with an end of its own.
begin;
\ir helpers.psql
select plan(24);

create function lives(p_id uuid default hers()) returns text language sql as $$
  select concat_ws(' ', status, coalesce(fresh_in_ms::text, 'endless'), coalesce(refresh_in_ms::text, 'endless'),
    coalesce(access_expires_at::text, 'never'))
    from public.oauth_peek(p_id, null, -1)
$$;
create function connects_for(p_expires_in_ms bigint, p_ends_in_ms bigint default null, p_ahead_ms bigint default null)
returns void language sql as $$
  select from public.oauth_connect(
    hers(), alice(), 'pipedrive', '7:1', null, null, 'base', 'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1',
    p_expires_in_ms, 0, null, p_authorization_expires_in_ms => p_ends_in_ms, p_refresh_ahead_ms => p_ahead_ms
  )
$$;
create function commits_for(p_holder text, p_base bigint, p_expires_in_ms bigint, p_ends_in_ms bigint default null)
returns text language sql as $$
  select outcome from public.oauth_commit_refresh(
    hers(), (answer(p_holder)).lease_id, p_base, 'v1.k1.iv.access-2', 'v1.k1.iv.refresh-2', 'k1', null, p_expires_in_ms, 0,
    p_authorization_expires_in_ms => p_ends_in_ms
  )
$$;
create function ends_in() returns interval language sql as $$
  select date_trunc('minute', (connection()).authorization_expires_at - clock_timestamp() + interval '30 s')
$$;

-- Without an end

select connects_for(null);
select is(lives(), 'active endless endless never', 'an access token may have no end');
select is((connection()).leeway, interval '1 minute', 'which its leeway does not bring nearer');
select is(claims('early', 1), 'fresh 1', 'nothing of it is due');
select is(claims('refused', 1, true), 'claimed 1', 'unless the API has refused it');
select is((connection()).forced_until > clock_timestamp(), true, 'which uses the allowance');
select is(commits_for('refused', 1, 3600000), 'committed', 'the next may have one');
select ok((connection()).access_expires_at > clock_timestamp(), 'which is then known');
select claims('again', 2, true);
select is(commits_for('again', 2, null), 'committed', 'and the one after it none');
select is(lives(), 'active endless endless never', 'so that it lives until it is refused');
select is(
  (select count(*) from public.oauth_claim_due('pipedrive', 10, false, null, '{k1}', 20000, 25000, 30000)), 0::bigint,
  'where nothing dies of disuse the sweep finds nothing idle'
);
select isnt(disconnects(), null, 'its user may end it all the same');
select is((connection()).access_expires_at, null, 'and nothing is left that could expire');

-- An authorization that ends

select connects_for(3600000, 86400000);
select is(ends_in(), interval '24 hours', 'it is known when an authorization ends by itself');
select claims('sliding', (connection()).version, true);
select commits_for('sliding', (connection()).version, 3600000, 172800000);
select is(ends_in(), interval '48 hours', 'a refresh may move that end');
select claims('silent', (connection()).version, true);
select commits_for('silent', (connection()).version, 3600000);
select is(ends_in(), interval '48 hours', 'and one that says nothing leaves it');
select connects_for(3600000);
select is((connection()).authorization_expires_at, null, 'connecting again begins anew');
select connects_for(3600000, 86400000);
select disconnects();
select is((connection()).authorization_expires_at, null, 'with the connection its end is gone');

-- Refreshing no earlier than the provider allows

select connects_for(600000, null, 30000);
select is(
  (connection()).access_expires_at - (connection()).refresh_after, interval '30 seconds',
  'the soft window is no longer than the provider allows'
);
select is((connection()).leeway, interval '30 seconds', 'and so is the leeway');
select connects_for(3600000);
select ok(
  (connection()).access_expires_at - (connection()).refresh_after > interval '4 minutes', 'elsewhere it is a share of the life'
);

-- Without a refresh token a refusal may be looked into, and nothing has failed

select connects_for(3600000);
select claims('looker', (connection()).version, true);
select is(
  (select outcome from public.oauth_fail_refresh((connection()).id, (connection()).lease_id, 'accepted', 60000, 'accepted')),
  'retry', 'what was found to be good gives the lease back'
);
select results_eq(
  $$ select lease_id, attempts, failure_code, next_attempt_at > now() from oauth.connections where id = (connection()).id $$,
  $$ values (null::uuid, 0, null::text, true) $$, 'as if nothing had failed, and nobody looks again for a while'
);
update oauth.connections set refreshed_at = now() - interval '40 days', refresh_after = now() - interval '1 minute', access_expires_at = now(), next_attempt_at = null;
select is(
  (select count(*) from public.oauth_claim_due('pipedrive', 10, false, 86400000, '{k1}', 20000, 25000, 30000)), 1::bigint,
  'what is idle is due'
);
update oauth.connections set refreshable = false, lease_id = null, lease_until = null, attempts = 0;
select is(
  (select count(*) from public.oauth_claim_due('pipedrive', 10, false, 86400000, '{k1}', 20000, 25000, 30000)), 0::bigint,
  'but not what cannot be refreshed'
);

select * from finish();
rollback;
