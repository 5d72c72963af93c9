# Turns meta-data (JSON or empty), a #cloud-config document (JSON after its first line, or empty) and network-config (as meta-data), with a byte 1 between them, into shell:
# one call for each thing to do, every argument quoted. The script beside this file defines what is called; a call that is
# not for the stage at hand does nothing. One run for both: to start jq is most of what it costs.
def q: if . == null then "''" elif type == "string" then @sh else tostring | @sh end;
def command: if type == "array" then map(tostring | @sh) | join(" ") else tostring end;
def script: "#!/bin/sh\n" + (map(select(. != null) | command) | join("\n")) + "\n";
def known: ["write_files", "mounts", "runcmd", "bootcmd", "hostname", "fqdn", "preserve_hostname"];
def known_of_file: ["path", "content", "encoding", "permissions", "owner", "append", "defer"];
# Without the text that could not be read: it may hold secrets.
def reason: split(" (while parsing")[0];
def plan:
  if type != "object" then "problem 'user-data is not a mapping'" else
    (keys_unsorted[] | select(. as $key | known | index($key) | not) | "ignored \(q)"),
    ([.write_files // [] | .[] | objects | keys_unsorted[]] - known_of_file | unique[] | "ignored \("write_files." + . | q)"),
    (select(.hostname or .fqdn) | "name_host \((.hostname // .fqdn) | q) \((.fqdn // .hostname) | q)"),
    (select(.preserve_hostname == true) | "name_host '' ''"),
    (select(.bootcmd) | "bootcmd \(.bootcmd | script | q)"),
    (.write_files // [] | .[] | if type == "object" and (.path | type) == "string" and (.path | startswith("/")) then
        "file \(.path | q) \(.permissions | q) \(.owner | q) \(.append // false) \(.defer // false) \(.encoding | q) \(.content // "" | q)"
      else "problem 'a write_files entry has no absolute path'" end),
    (.mounts // [] | .[] | if type == "array" and (.[0] | type) == "string" then
        "volume \(.[0] | q) \(.[1] | q) \(.[2] | q) \(.[3] | q)"
      else "problem 'a mounts entry is not a list that starts with a device'" end),
    (select(.runcmd) | "runcmd \(.runcmd | script | q)")
  end;
# Cards that get an address otherwise are set up before anybody reads this.
def cards:
  if (.ethernets | type) != "object" then "problem 'network-config has no ethernets'" else
    .ethernets[] | objects | select(.addresses) |
    if (.match.macaddress | type) == "string" and (.addresses | type) == "array" then
      "address \(.match.macaddress | ascii_downcase | q) \(.addresses | map(q) | join(" "))"
    else "problem 'a card of network-config has addresses, but no macaddress to be found by'" end
  end;
split("\u0001") | if length != 3 then "problem 'a document of the seed has a byte 1 in it'" else
. as [$meta, $user, $network] |
if $network == "" then empty else
  ($network | try (fromjson | cards) catch "ignored network-config")
end,
if $meta == "" then empty else
  ($meta | try (fromjson | "identity \(."instance-id" | q) \(."local-hostname" | q)")
    catch "problem \("meta-data starts like JSON and is none: \(reason)" | q)")
end,
if $user == "" then empty else
  ($user | .[(index("\n") // length) + 1:]
    | (try {document: fromjson} catch {broken: .})
    | if has("document") then .document | plan
      else "problem \("user-data is not JSON after its #cloud-config line: \(.broken | reason)" | q)" end)
end
end
