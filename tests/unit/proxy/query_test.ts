import { RULES } from "../../../supabase/functions/proxy/rules.ts";
import { assertEquals } from "../../support/assert.ts";
import { judged, refusal } from "./scene.ts";

/** By the reason: the queries that are refused for it. */
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  "the query is not as the URL parser writes it": [
    ...["a=1", "?a=1#x", "?a b", "?a=\u00e9", "?a=\t1", '?"', "?a='", "?<"],
  ],
  "the query is not UTF-8, percent-encoded": [
    ...["?a=%", "?a=%zz", "?%ff=1", "?a=%c0%af", "?a=%u0041", "?access%c1%9ftoken=x"],
  ],
  "the name of a parameter is encoded twice or holds a control character": [
    ...["?access%255ftoken=x", "?%25=1", "?access_token%00=x", "?a%0d%0a=1", "?a=1;b%25=2"],
  ],
  "the name of a parameter carries a credential or a method": [
    ...["?api_token=x", "?access_token=x", "?access_token", "?a=1&access_token=x", "?a=1;access_token=x"],
    ...["?Access_Token=x", "?accessToken=x", "?access-token=x", "?access.token=x", "?access+token=x"],
    ...["?access%20token=x", "?+access_token=x", "?access%5Ftoken=x", "?%61ccess_token=x"],
    ...["?access_token[]=x", "?access_token%5B%5D=x", "?access_token[0]=x", "?[access_token]=x"],
    ...["?]access_token=x", "?access[token=x", "?%ef%bd%81ccess_token=x", "?acce%e2%80%8bss_token=x"],
    ...["??access_token=x", "?apikey=x", "?api_key=x", "?X-Api-Key=x", "?token=x", "?auth=x"],
    ...["?authorization=x", "?bearer=x", "?id_token=x", "?refresh_token=x", "?oauth_token=x"],
    ...["?oauth_signature=x", "?oauth%5fconsumer%5fkey=x", "?client_secret=x", "?client_assertion=x"],
    ...["?private_token=x", "?hapikey=x", "?subscription-key=x", "?jwt=x", "?password=x", "?JSESSIONID=x"],
    ...["?X-Amz-Security-Token=x", "?_method=DELETE", "?_METHOD=x", "?%5fmethod=x", "?.method=x"],
    ...["?_method[]=x", "?x-http-method-override=PUT", "?X-HTTP-Method=x", "?http_method=x"],
    ...["?$httpMethod=x", "?$httpHeaders=x", "?method_override=x"],
  ],
};

for (const [why, queries] of Object.entries(HOSTILE)) {
  for (const search of queries) {
    Deno.test(`judge() refuses the query ${JSON.stringify(search)}: ${why}`, () => {
      assertEquals(refusal({ search }), why);
    });
  }
}

Deno.test("there are hostile queries for every rule", () => {
  const rules = RULES.map(({ why }) => why).filter((why) => !why.startsWith("the path"));
  assertEquals(rules, Object.keys(HOSTILE));
});

const PASS = [
  ...["?limit=10", "?a=1&a=2", "?&&", "?=", "?a", "?fields[]=name", "?filter[token]=x"],
  ...["?$filter=a%20eq%201", "?page_token=x", "?nextPageToken=x", "?$skiptoken=x", "?sync_token=x"],
  ...["?method=x", "?author=x", "?q=a%25b", "?q=access_token", "?q=a%0Ab", "?q=J%C3%BCrgen", "?q=a+b"],
  ...["?a?b=/c", "?tokens=x", "?key=ABC-1"],
];

for (const search of PASS) {
  Deno.test(`judge() lets the query ${search} through as it is`, () => {
    assertEquals(judged({ search }), { allowed: true, changes: false, search });
  });
}

Deno.test("judge() leaves the platform's own parameter out of what is sent, and an empty query", () => {
  const sent = (search: string) => {
    const judgement = judged({ search });
    return judgement.allowed ? judgement.search : judgement.why;
  };
  assertEquals(sent("?"), "");
  assertEquals(sent("?forceFunctionRegion=eu-west-1"), "");
  assertEquals(sent("?a=%2f&forceFunctionRegion=eu-west-1&b=1+2"), "?a=%2f&b=1+2");
  assertEquals(sent("?forceFunctionRegion&a=1"), "?a=1");
  assertEquals(sent("?forceFunctionRegions=1"), "?forceFunctionRegions=1");
});
