import { withoutTrailingSlashes } from '../../text/edges';
import { parseUrl } from '../../values/fields';

/** Where a bucket is. */
export interface BucketAddress {
  /** `https://…` of an S3-compatible store; null: AWS. */
  endpoint: string | null;
  bucket: string;
  forcePathStyle: boolean;
}

type BucketPlace = Pick<BucketAddress, 'endpoint' | 'bucket'>;

/**
 * The key of the object that an address names, with or without a signature: `s3://bucket/key`, `gs://bucket/key` for a
 * bucket of Google (whose endpoint speaks S3, too), or the address of the object by http or https.
 *
 * @param address from outside
 * @returns null when the address leads elsewhere
 */
export function keyInBucket(settings: BucketPlace, address: string): string | null {
  const { bucket, endpoint } = settings;
  const place = /^(s3|gs):\/\/([^/]+)\/(.+)$/is.exec(address);
  if (place !== null) {
    const [, scheme = '', name, key = ''] = place;
    const isElsewhere = scheme.toLowerCase() === 'gs' && !isOfGoogle(endpoint);
    return name === bucket && !isElsewhere ? key : null;
  }
  const url = parseUrl(address);
  if (url === null) return null;
  const path = pathInBucket(settings, url);
  return path === null ? null : decoded(path);
}

/** Whether a host serves a bucket, as far as its name tells. That of all buckets of a region at AWS does not count. */
export function isHostOf({ endpoint, bucket }: BucketPlace, host: string): boolean {
  if (endpoint === null || isOfAws(endpoint))
    return host.startsWith(`${bucket}.`) && isHostOfAws(host.slice(bucket.length + 1));
  const base = new URL(endpoint).host;
  return host === base || host === `${bucket}.${base}`;
}

function pathInBucket({ endpoint, bucket }: BucketPlace, url: URL): string | null {
  const { protocol, host, pathname } = url;
  const base = endpoint === null ? null : new URL(endpoint);
  const prefix = base === null ? '' : withoutTrailingSlashes(base.pathname);
  // Every region of AWS knows every bucket, so a link may name another host than the settings.
  const isStore = (name: string): boolean => (isOfAws(endpoint) ? isHostOfAws(name) : name === base?.host);
  if (protocol !== (base?.protocol ?? 'https:') || !pathname.startsWith(`${prefix}/`)) return null;
  const path = pathname.slice(prefix.length + 1);
  if (isStore(host)) return path.startsWith(`${bucket}/`) ? path.slice(bucket.length + 1) : null;
  return host.startsWith(`${bucket}.`) && isStore(host.slice(bucket.length + 1)) ? path : null;
}

/**
 * `s3.amazonaws.com`, `s3.dualstack.eu-central-1.amazonaws.com`, `s3-us-west-2.amazonaws.com`, … (AWS General Reference,
 * "Amazon S3 endpoints"). Anybody can have a bucket or a load balancer whose host only begins with `s3-`.
 */
const HOST_OF_AWS =
  /^s3(?:-fips|-accelerate|-external-1)?(?:\.dualstack)?(?:[.-][a-z]{2,5}(?:-[a-z]{2,12}){1,3}-\d{1,2})?\.amazonaws\.com(?:\.cn)?$/;

function isHostOfAws(host: string): boolean {
  return HOST_OF_AWS.test(host);
}

function isOfAws(endpoint: string | null): boolean {
  return endpoint === null || isHostOfAws(new URL(endpoint).host);
}

function isOfGoogle(endpoint: string | null): boolean {
  return endpoint !== null && /(^|\.)googleapis\.com$/.test(new URL(endpoint).hostname);
}

function decoded(path: string): string | null {
  try {
    const key = decodeURIComponent(path);
    return key === '' ? null : key;
  } catch {
    return null;
  }
}
