/** What commander says itself: titles of help, and what is wrong with a call. */
import type { Catalogue } from "../catalogue.ts";

export const frame: Catalogue = {
  "Usage:": "用法：",
  "Arguments:": "参数：",
  "Options:": "选项：",
  "Commands:": "命令：",
  "Example:": "示例：",
  "Examples:": "示例：",
  "display help for command": "显示命令的帮助",
  " (choices: {1})": "（可选：{1}）",
  " (default: {1})": "（默认：{1}）",
  "unknown option '{1}'": "未知选项 '{1}'",
  "unknown command '{1}'": "未知命令 '{1}'",
  "missing required argument '{1}'": "缺少必需的参数 '{1}'",
  "option '{1}' argument missing": "选项 '{1}' 缺少参数",
  "required option '{1}' not specified": "没有给出必需的选项 '{1}'",
  "option '{1}' argument '{2}' is invalid. {3}": "选项 '{1}' 的参数 '{2}' 无效。{3*}",
  "command-argument value '{1}' is invalid for argument '{2}'. {3}": "参数 '{2}' 的值 '{1}' 无效。{3*}",
  "too many arguments. Expected {1} argument but got {2}: {3}.": "参数过多。应有 {1} 个，实际有 {2} 个：{3}。",
  "too many arguments. Expected {1} arguments but got {2}: {3}.": "参数过多。应有 {1} 个，实际有 {2} 个：{3}。",
  "too many arguments for '{1}'. Expected {2} argument but got {3}: {4}.":
    "'{1}' 的参数过多。应有 {2} 个，实际有 {3} 个：{4}。",
  "too many arguments for '{1}'. Expected {2} arguments but got {3}: {4}.":
    "'{1}' 的参数过多。应有 {2} 个，实际有 {3} 个：{4}。",
  "Allowed choices are {1}.": "可选的值：{1}。",
  "A number of {1}, from 1 on.": "应为从 1 开始的整数（单位：{1*}）。",
  seconds: "秒",
  keys: "把密钥",
  hosts: "台主机",
  days: "天",
  snapshots: "份快照",
  "An address and a port: 10.64.0.2:5000.": "应为地址和端口：10.64.0.2:5000。",
};
