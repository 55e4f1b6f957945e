import { CodedError } from '../../../errors/coded-error';
import type { ProxyChoice } from '../../../http/proxy/proxy-choice';
import { withoutTrailingSlashes } from '../../../text/edges';
import {
  isBucketName,
  isEndpoint,
  isPrefix,
  isRegion,
  takesKmsKey,
  withoutOuterSlashes
} from './field-rules';

/** How the server encrypts what it stores; blank: as the bucket itself is configured. */
export type BucketEncryption = '' | 'AES256' | 'aws:kms';

/** Where a bucket is and how to write to it. */
export interface BucketSettings {
  /** `https://…` of an S3-compatible store; null: AWS. */
  endpoint: string | null;
  /** Null: what the AWS SDK finds in the environment. */
  region: string | null;
  bucket: string;
  /** The prefix of every key; empty, or with a trailing slash. */
  prefix: string;
  forcePathStyle: boolean;
  sse: BucketEncryption;
  /** With `aws:kms` only; null: the account's own key. */
  kmsKeyId: string | null;
  /** Null: the AWS SDK's default chain (environment, shared files, role of the machine). */
  credentials: { accessKeyId: string; secretAccessKey: string } | null;
  /** Null or left out: the store is contacted directly. */
  proxy?: ProxyChoice | null;
}

/** The settings as a user typed them. */
export interface BucketFields {
  endpoint: string;
  region: string;
  bucket: string;
  prefix: string;
  forcePathStyle: boolean;
  sse: string;
  kmsKeyId: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Compatible stores want some region in the signature and mostly do not care which. */
const REGION_OF_OTHERS = 'us-east-1';

/**
 * Checks the input of a user.
 *
 * @throws CodedError `BAD_SETTING` that names the setting and says what it must be
 */
export function readBucketSettings(fields: BucketFields): BucketSettings {
  const endpoint = fields.endpoint === '' ? null : checkedEndpoint(fields.endpoint);
  const { bucket, sse, kmsKeyId, accessKeyId, secretAccessKey, region } = fields;
  if (!isBucketName(bucket))
    throw bad('Bucket', 'the name of a bucket: 3 to 63 letters, digits, dots and hyphens');
  if (sse !== '' && sse !== 'AES256' && sse !== 'aws:kms')
    throw bad('Encryption', 'blank, AES256 or aws:kms');
  if (kmsKeyId !== '' && !takesKmsKey(sse))
    throw bad('KMS key', 'blank unless "Encryption" is "by a KMS key (aws:kms)"');
  if (!isRegion(region)) throw bad('Region', 'the name of a region, such as eu-central-1');
  if ((accessKeyId === '') !== (secretAccessKey === ''))
    throw bad(accessKeyId === '' ? 'Access key' : 'Secret key', 'set, because the other half of the key is');
  return {
    endpoint,
    region: region !== '' ? region : endpoint === null ? null : REGION_OF_OTHERS,
    bucket,
    prefix: checkedPrefix(fields.prefix),
    forcePathStyle: fields.forcePathStyle,
    sse,
    kmsKeyId: kmsKeyId === '' ? null : kmsKeyId,
    credentials: accessKeyId === '' ? null : { accessKeyId, secretAccessKey }
  };
}

function checkedEndpoint(text: string): string {
  if (!isEndpoint(text))
    throw bad('Endpoint', 'an address such as https://s3.example.com, without user and query');
  return withoutTrailingSlashes(new URL(text).href);
}

function checkedPrefix(text: string): string {
  if (!isPrefix(text))
    throw bad('Prefix', 'a path such as calls/recordings, without "." and "..", of at most 512 bytes');
  const prefix = withoutOuterSlashes(text);
  return prefix === '' ? '' : `${prefix}/`;
}

function bad(setting: string, expected: string): CodedError {
  return new CodedError('BAD_SETTING', `"${setting}" of the bucket must be ${expected}.`);
}
