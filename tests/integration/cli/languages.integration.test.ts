import { testLanguages } from "../../support/language-programs";

// The engine brings this host. `npm run e2e -- languages` builds those of the other languages.
testLanguages(["typescript"], async () => ({ path: [] }));
