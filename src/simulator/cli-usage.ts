import { DAILY_PORT } from './cli-options';

/** Shown by `telnyx-simulator --help`. */
export const USAGE = `telnyx-simulator: sends signed sample deliveries to a Node-RED flow, as Telnyx or Daily would.

Usage
  telnyx-simulator key                    print the public key
  telnyx-simulator send --to <address>    send sample deliveries
  telnyx-simulator serve                  serve recordings and the recordings API
  telnyx-simulator --list                 list the events that can be sent

First run "telnyx-simulator key". Paste what it prints into the public keys of the flow's
Telnyx account, and deploy. Then send:
  telnyx-simulator send --to http://127.0.0.1:1880/telnyx

For Daily, "telnyx-simulator key --provider daily" prints what belongs into the Daily account.

Options of send
  --to <address>     where the flow listens
  --event <type>     event to send, can be given several times; default call.recording.saved,
                     with --provider daily recording.ready-to-download
  --all              one of each event
  --count <n>        how many of each; default 1
  --linger <s>       seconds to serve recordings that the flow has not fetched yet; default 30

Options of serve
  --recordings <n>   how many recordings the account has; default 5

Common options
  --provider <name>  telnyx or daily; default: the one that the events belong to, else telnyx
  --port <n>         port to listen on; default: any free one, for Daily ${DAILY_PORT}
  --seconds <n>      length of the recordings; default 3
  --host <address>   address that serves recordings, named in their links; default 127.0.0.1
  --key-file <file>  where the key is kept; default .telnyx-simulator.json in your home folder
  --help, --list

The recordings come from this machine by plain http. The download node fetches them only when its
network setting allows any address. Whoever has the key file can send events that a flow with this
key believes: take the key out of the account before the flow meets the internet.

Exit code: 0 every delivery was accepted, 1 one was not, 2 the command was not understood.
`;
