/** What somebody knows this browser by: "Chrome, Linux". */
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"] as const;
const BROWSERS = ["Edg", "Firefox", "Chrome", "Safari"] as const;

export function deviceName(agent = navigator.userAgent): string {
  const system = SYSTEMS.find((one) => agent.includes(one)) ?? "";
  const browser = BROWSERS.find((one) => agent.includes(one)) ?? "";
  return [browser === "Edg" ? "Edge" : browser, system].filter(Boolean).join(", ") || "Web";
}
