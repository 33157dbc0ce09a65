import { z } from 'zod';

/** `/sys/health` answers a flat object under any status. */
export const health = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean(),
  performance_standby: z.boolean().optional(),
  replication_dr_mode: z.string().optional(),
  version: z.string().optional(),
});

/** AppRole login and renew-self. `lease_duration` here is the token's TTL in seconds; 0 never ends. */
export const login = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number(), renewable: z.boolean() }),
});

/** A version of a KV v2 secret; `data` is null in the 404 of a deleted one. */
export const kv = z.object({
  data: z.object({
    data: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.object({ version: z.number(), deletion_time: z.string(), destroyed: z.boolean() }),
  }),
});

/** What `node-vault` rejects with when Vault answered: an Error with this beside the message. */
export const answered = z.object({ response: z.object({ statusCode: z.number(), body: z.unknown() }) });

export const errors = z.object({ errors: z.array(z.string()) });
