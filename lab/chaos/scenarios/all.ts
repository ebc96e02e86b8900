import { badHours } from "./bad_hours.ts";
import { calm } from "./calm.ts";
import { clock } from "./clock.ts";
import { crashAfterClaim, crashes } from "./crashes.ts";
import { database } from "./database.ts";
import { herds } from "./herds.ts";
import { hopeless } from "./hopeless.ts";
import { keyRotation } from "./key_rotation.ts";
import type { Scenario } from "./kit.ts";
import { lostAnswers } from "./lost_answers.ts";
import { meanwhile } from "./meanwhile.ts";
import { mixed } from "./mixed.ts";
import { outages } from "./outages.ts";
import { refusals } from "./refusals.ts";
import { revocations } from "./revocations.ts";
import { stops } from "./stops.ts";
import { warmth } from "./warm.ts";
import { wrongAnswers } from "./wrong_answers.ts";

const alone = (scenarios: readonly Scenario[]) => scenarios.map((one) => [one]);

/**
 * One group after another; what is in a group runs side by side, because most of it waits for leases to end. What has a
 * target in milliseconds runs alone, and what sweeps, since a sweep looks after whatever is there. The key rotation comes last: what it reseals, the other fleets could not open any more.
 */
export const groups: readonly (readonly Scenario[])[] = [
  ...alone([...herds, ...calm, crashAfterClaim]),
  crashes,
  stops,
  lostAnswers,
  wrongAnswers,
  meanwhile,
  ...alone([clock, ...revocations, ...warmth, refusals]),
  ...alone([...outages, database, ...badHours, hopeless, mixed, keyRotation]),
];
