import { WEBHOOK_FACTS_PATH, type WebhookFacts } from '../../config/dialog/webhook-facts';
import { CATALOGUE } from '../../lib/in-language';
import { spanText } from '../lib/in-locale';
import { readRuntime } from '../lib/runtime-call';
import { type ShownAddress, showAddress } from './public-url';

/** Milliseconds between two questions for the last delivery, while the dialog is open. */
const INTERVAL_MS = 5000;

/** Shows the webhook URL with all that belongs to it: copying, tunnels to this computer, the last delivery. */
export function showWebhookFacts(node: EditorNode): void {
  const tunnels = new Tunnels(node);
  $(`#${node.type}-url-copy`).on('click', (event) => copy(node, $(`#${node.type}-url`), event));
  showAddress(node, (address) => tunnels.show(address));
  const place = $(`#${node.type}-last`);
  const ask = async (): Promise<void> => {
    const answer = await readRuntime<WebhookFacts>(
      WEBHOOK_FACTS_PATH,
      { id: node.id },
      { notPermitted: '', notReached: '' }
    );
    if (!document.contains(place[0] ?? null)) return;
    if (answer.ok) {
      place.text(lastText(node, answer.reply));
      tunnels.port = answer.reply.port;
    } else place.empty();
    setTimeout(() => {
      if (document.contains(place[0] ?? null)) void ask();
    }, INTERVAL_MS);
  };
  void ask();
}

function lastText(node: EditorNode, { isRunning, receivedMsAgo, refusedMsAgo }: WebhookFacts): string {
  const say = (key: string, values?: Record<string, string>): string =>
    node._(`${node.type}.last.${key}`, values);
  if (!isRunning) return say('not-deployed');
  const received = receivedMsAgo === null ? say('none') : say('received', { ago: spanOf(receivedMsAgo) });
  return refusedMsAgo === null ? received : `${received} ${say('refused', { ago: spanOf(refusedMsAgo) })}`;
}

const spanOf = (ms: number): string => spanText((key, values) => RED._(`${CATALOGUE}${key}`, values), ms);

/** Commands that make this Node-RED reachable, when its address is not. */
class Tunnels {
  readonly #node: EditorNode;
  #address: ShownAddress | null = null;
  #port: number | null = null;

  constructor(node: EditorNode) {
    this.#node = node;
  }

  set port(port: number | null) {
    if (port === this.#port) return;
    this.#port = port;
    this.#render();
  }

  show(address: ShownAddress): void {
    this.#address = address;
    this.#render();
  }

  #render(): void {
    const { type } = this.#node;
    const box = $(`#${type}-tunnels`);
    const address = this.#address;
    box.toggle(address !== null && address.fault !== null);
    if (address === null || address.fault === null) return;
    const { port, protocol, pathname } = this.#local(address.url);
    const local = `${protocol}//127.0.0.1:${port}`;
    const lines = [
      `cloudflared tunnel --url ${local}`,
      `ngrok http ${protocol === 'https:' ? local : port}`,
      `tailscale funnel --set-path=${pathname} ${local}${pathname}`
    ];
    const list = box.children('div').empty();
    for (const line of lines) {
      const code = $('<code style="white-space: normal; overflow-wrap: anywhere"></code>').text(line);
      const button = $('<button type="button" class="red-ui-button red-ui-button-small"></button>')
        .append($('<i class="fa fa-clipboard" aria-hidden="true"></i>'))
        .attr('aria-label', this.#node._(`${type}.tunnel.copy`, { command: line }))
        .css('margin-right', '6px')
        .on('click', (event) => copy(this.#node, code, event));
      list.append($('<div></div>').css('margin', '4px 0').append(button, code));
    }
  }

  /** Where this Node-RED listens on its own computer, as far as can be known, and the path of the node there. */
  #local(url: string): { port: number; protocol: string; pathname: string } {
    const { protocol, port } = window.location;
    const usual = protocol === 'https:' ? 443 : 80;
    const pathname = URL.canParse(url) ? new URL(url).pathname : '/';
    return { port: this.#port ?? (Number(port) || usual), protocol, pathname };
  }
}

function copy(node: EditorNode, code: JQuery, event: JQuery.TriggeredEvent): void {
  RED.clipboard.copyText(
    code.text(),
    $(event.currentTarget as HTMLElement),
    node._(`${node.type}.button.copied`)
  );
}
