/** Words around errors, findings and explanations. */
import type { Catalogue } from "../catalogue.ts";

export const labels: Catalogue = {
  error: "错误",
  warning: "警告",
  ok: "正常",
  "warning:": "警告",
  ":": "：",
  ": ": "：",
  "   where: ": "    位置：",
  "  expected: ": "    期望：",
  "   found: ": "    实际：",
  "    next: ": "  下一步：",
  " (exit code {1})": "（退出码 {1}）",
  " (check)": "（检查项）",
  "next: ": "下一步：",
  " of ": " / ",
  " left": " 后完成",
  "expected ": "期望 ",
  "found ": "实际 ",
  ", ": "，",
  " (": "（",
  ")": "）",
  "Usual causes:": "常见原因：",
  "What to do:": "处理办法：",
  "Error codes:": "错误代码：",
  "Checks:": "检查项：",
};
