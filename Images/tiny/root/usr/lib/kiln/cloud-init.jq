# Turns a #cloud-config document (JSON) into lines for the shell: KIND and then base64 fields, `-` for an absent one.
def b: if . == null then "-" elif type == "string" then @base64 else tojson | @base64 end | if . == "" then "=" else . end;
def command: if type == "array" then map(tostring | @sh) | join(" ") else tostring end;
def script: "#!/bin/sh\n" + (map(command) | join("\n")) + "\n";
def known: ["write_files", "mounts", "runcmd", "bootcmd", "hostname", "fqdn", "preserve_hostname"];
if type != "object" then "problem \("user-data is not a mapping" | b)" else
  (keys_unsorted[] | select(. as $key | known | index($key) | not) | "ignored \(b)"),
  (select(.hostname or .fqdn) | "hostname \((.hostname // .fqdn) | b)"),
  (select(.bootcmd) | "bootcmd \(.bootcmd | script | b)"),
  (.write_files // [] | .[] | if type == "object" and (.path | type) == "string" and (.path | startswith("/")) then
      "file \(.path | b) \(.permissions | b) \(.owner | b) \(.append // false) \(.defer // false) \(.encoding | b) \(.content // "" | b)"
    else "problem \("a write_files entry has no absolute path" | b)" end),
  (.mounts // [] | .[] | if type == "array" and (.[0] | type) == "string" then
      "mount \(.[0] | b) \(.[1] | b) \(.[2] | b) \(.[3] | b)"
    else "problem \("a mounts entry is not a list that starts with a device" | b)" end),
  (select(.runcmd) | "runcmd \(.runcmd | script | b)")
end
