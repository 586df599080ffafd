// Standard input: {"secret", "requests": [{"headers", "body"}]}. Prints the types of the events that verify.
import { Webhook } from "standardwebhooks";
import { readFileSync } from "node:fs";

const { secret, requests } = JSON.parse(readFileSync(0, "utf8"));
const webhook = new Webhook(secret);
console.log(JSON.stringify(requests.map(({ headers, body }) => webhook.verify(body, headers).type)));
