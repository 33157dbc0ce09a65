import { z } from 'zod';
import { text } from './wire.ts';

const inside = z.object({ 'ip-address': text.optional() });
const row = z.object({
  name: text,
  /** Of a container, with the length of its prefix; Proxmox VE 8 has these alone. */
  inet: text.optional(),
  inet6: text.optional(),
  'ip-addresses': z.array(inside).nullish(),
});

/** `GET /nodes/{node}/lxc/{vmid}/interfaces`; a container that does not run has none. */
export const containerInterfaces = z.array(row).nullable();
/** `GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces`, in the words of the QEMU guest agent. */
export const agentInterfaces = z.object({ result: z.array(row) }).transform(({ result }) => result);

/** Bridges and tunnels inside of a guest: what has an address there is something else, and many guests have the same one. */
const INNER =
  /^(?:lo$|docker|br-|veth|virbr|cni|flannel|cali|vxlan|podman|lxcbr|lxdbr|tun|tap|wg|tailscale|kube|dummy)/u;
/** This host, and what is valid on one wire only. */
const LOCAL = /^(?:127\.|169\.254\.|::1$|fe80:)/u;

/** The addresses by which others reach a guest, in small letters and without prefix, sorted. */
export function outerAddresses(rows: z.output<typeof containerInterfaces>): string[] {
  const found = (rows ?? [])
    .filter(({ name }) => !INNER.test(name))
    .flatMap(({ inet, inet6, 'ip-addresses': all }) => [inet, inet6, ...(all ?? []).map((one) => one['ip-address'])])
    .flatMap((address) => (address === undefined ? [] : [address.split(/[/%]/u)[0]?.trim().toLowerCase() ?? '']))
    .filter((address) => address !== '' && !LOCAL.test(address));
  return [...new Set(found)].toSorted();
}
