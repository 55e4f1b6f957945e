import { gradualRequire } from '../../../concurrency/gradual-require';

export type S3Sdk = typeof import('@aws-sdk/client-s3');

/** @throws whatever a module of the AWS SDK throws while it is loaded */
export async function loadS3Sdk(): Promise<S3Sdk> {
  return (await gradualRequire('@aws-sdk/client-s3')) as S3Sdk;
}
