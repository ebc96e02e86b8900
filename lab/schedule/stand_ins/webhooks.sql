-- What is used of Database Webhooks: a trigger's function that hands the row to pg_net.
create schema supabase_functions;
grant usage on schema supabase_functions to anon, authenticated, service_role;

create function supabase_functions.http_request() returns trigger
language plpgsql
security definer
set search_path to 'supabase_functions'
as $$
begin
  if tg_argv[0] is null or tg_argv[0] = 'null' then
    raise exception 'url argument is missing';
  end if;
  if tg_argv[1] is distinct from 'POST' then
    raise exception 'method argument % is invalid', tg_argv[1];
  end if;
  perform net.http_post(
    tg_argv[0],
    jsonb_build_object(
      'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema, 'record', to_jsonb(new), 'old_record', null
    ),
    tg_argv[3]::jsonb,
    tg_argv[2]::jsonb,
    tg_argv[4]::integer
  );
  return new;
end;
$$;
