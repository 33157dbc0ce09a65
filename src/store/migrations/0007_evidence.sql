-- Up Migration
-- What pipelines say they have deployed: "what changed" on cards. The key keeps a repeated report from counting twice.
create table deployments (
  id          bigint generated always as identity primary key,
  key         text not null unique,
  service     text not null,
  version     text not null,
  environment text,
  by          text,
  url         text,
  status      text not null,
  at          timestamptz not null,
  received_at timestamptz not null
);
create index deployments_at on deployments (at desc);

-- By what incidents are alike. Beside the incidents and filled after the fact, so that taking alerts in costs nothing more.
create table incident_traits (
  incident_id bigint primary key references incidents on delete cascade,
  alertname   text not null,
  target      text not null,
  started_at  timestamptz not null
);
create index incident_traits_same on incident_traits (alertname, target, incident_id desc);
create index incident_traits_name on incident_traits (lower(alertname), incident_id desc);

-- Runs that were asked for from an incident's card.
create index runs_incident on runs (((origin ->> 'incident')::bigint)) where origin ? 'incident';
