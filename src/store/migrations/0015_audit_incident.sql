-- Up Migration
-- The ledger of an incident (/why) tells of what the audit has of it: refused presses, and answers to its runs.
create index audit_subject on audit (subject, seq);
create index audit_incident on audit ((detail ->> 'incident'), seq) where detail ? 'incident';
