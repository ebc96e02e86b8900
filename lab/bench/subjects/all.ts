import type { Subject } from "../subject.ts";
import { cpu } from "./cpu.ts";
import { herd } from "./herd.ts";
import { page } from "./page.ts";
import { peers } from "./peers.ts";
import { refreshes } from "./refreshes.ts";
import { search } from "./search.ts";
import { sql } from "./sql.ts";
import { start } from "./start.ts";
import { sweep } from "./sweep.ts";
import { throughput } from "./throughput.ts";
import { upload } from "./upload.ts";

/** In the order of the page. */
export const SUBJECTS: readonly Subject[] = [
  search,
  throughput,
  cpu,
  herd,
  page,
  start,
  upload,
  sweep,
  sql,
  refreshes,
  peers,
];
