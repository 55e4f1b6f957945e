import should from 'should';
import { isPublicAddress, isPublicAnswer } from '../../../src/transfer/public-address';

describe('transfer/public-address', () => {
  const refused = [
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::8.8.8.8',
    '64:ff9b::7f00:1',
    '64:ff9b::808:808',
    '64:ff9b:1::808:808',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '2002:808:808::1',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    '2600::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    ''
  ];
  for (const address of refused)
    it(`rejects ${address === '' ? 'no address' : address}`, () => {
      should(isPublicAddress(address)).be.false();
    });

  for (const address of [
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '223.255.255.255',
    '2600:1f18::1',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888'
  ])
    it(`allows ${address}`, () => {
      should(isPublicAddress(address)).be.true();
      should(isPublicAnswer(address)).be.true();
    });

  it('treats a NAT64 address from a resolver as the IPv4 address inside it', () => {
    should(isPublicAnswer('64:ff9b::808:808')).be.true();
    should(isPublicAnswer('64:ff9b::8.8.8.8')).be.true();
    should(isPublicAnswer('64:ff9b::127.0.0.1')).be.false();
    should(isPublicAnswer('64:ff9b::a9fe:a9fe')).be.false();
    should(isPublicAnswer('64:ff9b::1')).be.false();
    should(isPublicAnswer('64:ff9b:0:1::808:808')).be.false();
    should(isPublicAnswer('::ffff:8.8.8.8')).be.false();
  });
});
