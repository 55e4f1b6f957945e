import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The network between a client and a server on this machine, with faults on demand. */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server;
  #state: 'whole' | 'cut' | 'silent' = 'whole';

  private constructor(target: number) {
    // It adds no waiting of its own: what one side has written goes on at once.
    this.#server = createServer({ noDelay: true }, (near) => this.#relay(near, target));
  }

  /** @param target port of the server */
  static async start(target: number): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All connections end, and none can be opened. */
  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * Half-open: connections stay and new ones are accepted, but nothing passes in either direction, as behind a firewall that
   * has forgotten them.
   */
  silence(): void {
    this.#state = 'silent';
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  /** New connections pass again; those that were silenced end. */
  mend(): void {
    this.#state = 'whole';
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(near: Socket, target: number): void {
    this.#keep(near);
    if (this.#state === 'cut') return void near.destroy();
    if (this.#state === 'silent') return void near.resume();
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    this.#keep(far);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    near.pipe(far).pipe(near);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}
