import { DAILY_PORT } from './stand-ins';

/** Shown by `telnyx-simulator --help`. */
export const USAGE = `telnyx-simulator: sends signed sample deliveries to a Node-RED flow, as Telnyx or Daily would.

Usage
  telnyx-simulator key                    print the public key
  telnyx-simulator send --to <address>    send sample deliveries
  telnyx-simulator serve                  serve recordings, and the API with the public key
  telnyx-simulator --list                 list the events that can be sent

First run "telnyx-simulator key". Paste what it prints into the public keys of the flow's
Telnyx account, and deploy. Then send:
  telnyx-simulator send --to http://127.0.0.1:1880/telnyx

For Daily, "telnyx-simulator key --provider daily" prints what belongs into the Daily account.

An account with the API address and the API key that "telnyx-simulator serve" prints needs no public
key: it is asked of the API.

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

The recordings come from this machine by http. A recording download node fetches them only when its
"Addresses" (below "Advanced") is "any address, also http and private networks", as in the example flow
"Try it without an account".

A flow that has this key believes everybody who has the key file: take the key out of the account
before the flow meets the internet.

Exit code: 0 all went well, 1 a delivery was not accepted, 2 the command was not understood,
3 the flow did not fetch all recordings in time (with --linger 0 nobody looks).
`;
