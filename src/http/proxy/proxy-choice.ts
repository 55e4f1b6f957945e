import { BlockList, isIP } from 'node:net';
import { CodedError } from '../../errors/coded-error';
import { type ProxyServer, readProxy, withoutBrackets } from './proxy-server';

/** What is asked for: scheme, host and port count. */
export type ProxyTarget = Pick<URL, 'protocol' | 'hostname' | 'port'>;

/** Which proxy leads to which host. */
export interface ProxyChoice {
  /**
   * @returns null: the host is contacted directly
   * @throws CodedError `BAD_SETTING` when the proxy is not set up properly
   */
  serverFor(target: ProxyTarget): ProxyServer | null;
}

/** One proxy for all hosts. @param exceptions hosts that are contacted directly, as in `NO_PROXY` */
export function oneProxy(server: ProxyServer, exceptions: string): ProxyChoice {
  const excluded = new HostList(exceptions);
  return { serverFor: (target) => (excluded.has(target) ? null : server) };
}

/**
 * The proxies that the environment names: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, either one else `ALL_PROXY`,
 * and `NO_PROXY` for exceptions. As with curl and Node-RED's own nodes, the names in lower case win. This machine
 * itself is never contacted through a proxy of the environment, which would look for the service on the proxy's machine.
 *
 * @returns null when there is none
 * @throws CodedError `BAD_SETTING` that names the variable
 */
export function environmentProxies(
  environment: Readonly<Record<string, string | undefined>>
): ProxyChoice | null {
  const all = () => fromVariable(environment, 'ALL_PROXY', (text) => /^(https?:\/\/|[^/]*$)/i.test(text));
  const https = fromVariable(environment, 'HTTPS_PROXY') ?? all();
  const http = fromVariable(environment, 'HTTP_PROXY') ?? all();
  if (https === null && http === null) return null;
  const excluded = new HostList(variable(environment, 'NO_PROXY')?.value ?? '');
  return {
    serverFor: (target) => {
      const server = target.protocol === 'https:' ? https : http;
      return server === null || excluded.has(target) || isThisMachine(target) ? null : server;
    }
  };
}

/** Settings that cannot work fail each request, rather than go without the proxy. */
export function brokenChoice(error: CodedError): ProxyChoice {
  return {
    serverFor: () => {
      throw error;
    }
  };
}

function variable(
  environment: Readonly<Record<string, string | undefined>>,
  name: string
): { name: string; value: string } | undefined {
  for (const spelling of [name.toLowerCase(), name]) {
    const value = environment[spelling]?.trim() ?? '';
    if (value !== '') return { name: spelling, value };
  }
  return undefined;
}

/** @param isUsable programs that know other kinds of proxies share the variable */
function fromVariable(
  environment: Readonly<Record<string, string | undefined>>,
  wanted: string,
  isUsable: (text: string) => boolean = () => true
): ProxyServer | null {
  const found = variable(environment, wanted);
  if (found === undefined || !isUsable(found.value)) return null;
  const { name, value: address } = found;
  const source = {
    place: `the environment variable ${name}`,
    login: `Put them into the environment variable ${name}, as in http://user:password@proxy.example.com:3128`,
    exceptions: 'the environment variable NO_PROXY'
  };
  return readProxy({ address, source });
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isThisMachine({ hostname }: ProxyTarget): boolean {
  const name = nameOf(hostname);
  if (isIP(name) !== 0) return LOOPBACK.check(name, familyOf(name));
  return name === 'localhost' || name.endsWith('.localhost');
}

interface HostEntry {
  /** Undefined: every port. */
  port: number | undefined;
  matches: (name: string) => boolean;
}

/**
 * A list of hosts as `NO_PROXY` has them, separated by commas or blanks: a name (which includes the names below it, as
 * for curl; `.example.com` and `*.example.com` mean the same), an address, a network (`10.0.0.0/8`), each with a port
 * or without one, or `*` for every host.
 */
export class HostList {
  readonly #entries: readonly HostEntry[];

  constructor(list: string) {
    this.#entries = list
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== '')
      .map(entryOf);
  }

  has({ protocol, hostname, port }: ProxyTarget): boolean {
    const name = nameOf(hostname);
    const wanted = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
    return this.#entries.some((entry) => (entry.port ?? wanted) === wanted && entry.matches(name));
  }
}

function entryOf(text: string): HostEntry {
  if (text === '*') return { port: undefined, matches: () => true };
  const { host, port } = withPort(text);
  const network = networkOf(host);
  if (network !== null)
    return { port, matches: (name) => isIP(name) !== 0 && network.check(name, familyOf(name)) };
  const suffix = nameOf(host.replace(/^\*?\.?/, ''));
  return { port, matches: (name) => name === suffix || name.endsWith(`.${suffix}`) };
}

function withPort(text: string): { host: string; port: number | undefined } {
  // Several colons without brackets belong to an IPv6 address.
  const colon = text.lastIndexOf(':');
  const isPort = colon > 0 && (text.indexOf(':') === colon || text[colon - 1] === ']');
  const port = isPort ? Number(text.slice(colon + 1)) : NaN;
  return Number.isInteger(port)
    ? { host: withoutBrackets(text.slice(0, colon)), port }
    : { host: withoutBrackets(text), port: undefined };
}

/** @returns null when it is neither an address nor a network */
function networkOf(text: string): BlockList | null {
  const [address = '', bits, ...more] = text.split('/');
  const list = new BlockList();
  if (isIP(address) === 0 || more.length > 0) return null;
  if (bits === undefined) list.addAddress(address, familyOf(address));
  else {
    const prefix = Number(bits);
    if (bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > (isIP(address) === 4 ? 32 : 128))
      return null;
    list.addSubnet(address, prefix, familyOf(address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** A host name without brackets and the dot at its end, in lower case. */
function nameOf(hostname: string): string {
  const name = withoutBrackets(hostname).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
