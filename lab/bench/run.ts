import { Field } from "./field/field.ts";
import type { Runtime } from "./field/runtimes.ts";
import type { Found, Size, Subject } from "./subject.ts";

/** What one subject found on one runtime. */
export interface Measured extends Found {
  readonly subject: Subject;
  readonly runtime: Runtime;
}

export interface Plan {
  readonly subjects: readonly Subject[];
  /** The first measures everything, the others what is about the runtime. */
  readonly runtimes: readonly Runtime[];
  readonly size: Size;
  readonly found?: (measured: Measured) => void;
}

/** Measures one subject after the other, on one field, which ends with it. */
export async function measure(
  { subjects, runtimes, size, found = () => {} }: Plan,
): Promise<{ measured: Measured[]; postgres: string }> {
  const field = await Field.start();
  try {
    const measured: Measured[] = [];
    for (const subject of subjects) {
      for (const runtime of runtimes.slice(0, subject.on_each_runtime ? undefined : 1)) {
        const one = {
          ...await subject.measure({ field, runtime, pick: (of) => of[size] }),
          subject,
          runtime,
        };
        measured.push(one);
        found(one);
      }
    }
    const [version] = await field.database.sql`show server_version`;
    return { measured, postgres: version?.server_version };
  } finally {
    await field.stop();
  }
}
