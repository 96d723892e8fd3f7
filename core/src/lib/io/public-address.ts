import ipaddr from 'ipaddr.js';

/** What no list of special ranges names, though it leads inside: Azure's own address, and what wraps an IPv4 address. */
const ALSO_PRIVATE = [
  '168.63.129.16/32',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  'fec0::/10',
  '::/96',
].map((range) => ipaddr.parseCIDR(range));

/** ISATAP: the last 64 bits wrap an IPv4 address. */
const isIsatap = (bytes: readonly number[]): boolean =>
  bytes.length === 16 && ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;

/**
 * Is this IP address one of the public internet? False for loopback, private, link-local, carrier-grade NAT, multicast,
 * reserved and documentation ranges, for cloud metadata, for what tunnels or translates to IPv4 (6to4, Teredo, NAT64,
 * ISATAP, IPv4-mapped ones by what they map to), and for what is no address.
 */
export const isPublicAddress = (text: string): boolean => {
  const bare = text.replace(/^\[|\]$/g, '').split('%', 1)[0] ?? '';
  if (!ipaddr.isValid(bare)) return false;
  const address = ipaddr.process(bare);
  if (address.range() !== 'unicast' || isIsatap(address.toByteArray())) return false;
  return !ALSO_PRIVATE.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
};
