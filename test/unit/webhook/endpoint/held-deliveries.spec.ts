import should from 'should';
import { closeServers, deferred } from '../express/real-http';
import { EndpointStage } from './endpoint-fixture';

describe('deliveries of an event that the flow may get in another way', () => {
  afterEach(closeServers);

  it('wait, and are duplicates once the flow has it', async () => {
    const stage = await EndpointStage.start();
    const { promise, resolve } = deferred<boolean>();
    stage.endpoint.hold('one', promise);
    should([stage.endpoint.isReceiving('one'), stage.endpoint.isReceiving('two')]).eql([true, false]);
    const copies = Promise.all([stage.deliver('one'), stage.deliver('one')]);
    await stage.arrived(2);
    (await stage.deliver('two')).status.should.equal(200);
    resolve(true);
    (await copies).map(({ status }) => status).should.eql([200, 200]);
    stage.ids.should.eql(['two']);
    stage.endpoint.isReceiving('one').should.be.false();
  });

  it('are asked for again when the flow did not get it, and then accepted', async () => {
    const stage = await EndpointStage.start();
    const { promise, resolve } = deferred<boolean>();
    stage.endpoint.hold('one', promise);
    const copy = stage.deliver('one');
    await stage.arrived(1);
    resolve(false);
    (await copy).status.should.equal(503);
    (await stage.deliver('one')).status.should.equal(200);
    stage.ids.should.eql(['one']);
  });

  it('are being received while the flow is asked for the answer', async () => {
    const stage = await EndpointStage.start({ reply: 'flow' });
    const answered = stage.deliver('one');
    await stage.emittedEvent(1);
    stage.endpoint.isReceiving('one').should.be.true();
    await stage.endpoint.close();
    (await answered).status.should.equal(503);
  });
});
