/// The top-level keys of a cloud-config, and the modules of cloud-init that do what they say.
///
/// https://cloudinit.readthedocs.io/en/latest/reference/modules.html
public enum CloudConfigKey {
    /// What the modules read, by module; more than one may read the same key.
    static let modules: [String: [String]] = [
        "ansible": ["ansible"],
        "apk_configure": ["apk_repos"],
        "apt_configure": ["apt"],
        "apt_pipelining": ["apt_pipelining"],
        "bootcmd": ["bootcmd"],
        "byobu": ["byobu_by_default"],
        "ca_certs": ["ca_certs", "ca-certs"],
        "chef": ["chef"],
        "disable_ec2_metadata": ["disable_ec2_metadata"],
        "disk_setup": ["device_aliases", "disk_setup", "fs_setup"],
        "fan": ["fan"],
        "final_message": ["final_message"],
        "growpart": ["growpart"],
        "grub_dpkg": ["grub_dpkg", "grub-dpkg"],
        "install_hotplug": ["updates"],
        "keyboard": ["keyboard"],
        "keys_to_console": ["ssh", "ssh_key_console_blacklist", "ssh_fp_console_blacklist"],
        "landscape": ["landscape"],
        "locale": ["locale", "locale_configfile"],
        "lxd": ["lxd"],
        "mcollective": ["mcollective"],
        "mounts": ["mounts", "mount_default_fields", "swap"],
        "ntp": ["ntp"],
        "package_update_upgrade_install": [
            "packages", "package_update", "package_upgrade", "package_reboot_if_required", "apt_update", "apt_upgrade",
            "apt_reboot_if_required",
        ],
        "phone_home": ["phone_home"],
        "power_state_change": ["power_state"],
        "puppet": ["puppet"],
        "resizefs": ["resize_rootfs"],
        "resolv_conf": ["manage_resolv_conf", "resolv_conf"],
        "rh_subscription": ["rh_subscription"],
        "rsyslog": ["rsyslog"],
        "runcmd": ["runcmd"],
        "salt_minion": ["salt_minion"],
        "seed_random": ["random_seed"],
        "set_hostname": hostName,
        "set_passwords": ["ssh_pwauth", "chpasswd", "password"],
        "snap": ["snap"],
        "spacewalk": ["spacewalk"],
        "ssh": [
            "ssh_keys", "ssh_authorized_keys", "ssh_deletekeys", "ssh_genkeytypes", "disable_root", "disable_root_opts",
            "allow_public_ssh_keys", "ssh_quiet_keygen", "ssh_publish_hostkeys",
        ],
        "ssh_authkey_fingerprints": ["no_ssh_fingerprints", "authkey_hash"],
        "ssh_import_id": ["ssh_import_id"],
        "timezone": ["timezone"],
        "ubuntu_autoinstall": ["autoinstall"],
        "ubuntu_drivers": ["drivers"],
        "ubuntu_pro": ["ubuntu_pro", "ubuntu_advantage"],
        "update_etc_hosts": ["manage_etc_hosts"],
        "update_hostname": hostName,
        "users_groups": ["groups", "user", "users"],
        "wireguard": ["wireguard"],
        "write_files": ["write_files"],
        "yum_add_repo": ["yum_repo_dir", "yum_repos"],
        "zypper_add_repo": ["zypper"],
    ]

    private static let hostName = [
        "hostname", "fqdn", "preserve_hostname", "prefer_fqdn_over_hostname", "create_hostname_file",
    ]

    /// What cloud-init itself reads, whatever modules run.
    static let core: Set = [
        "allow_userdata", "cloud_config_modules", "cloud_final_modules", "cloud_init_modules", "datasource",
        "datasource_list", "launch-index", "merge_how", "merge_type", "output", "reporting", "system_info",
        "vendor_data",
        "vendor_data2", "version",
    ]

    /// What a guest with a subset of cloud-init reads; see Images/README.md.
    static let subset: Set = [
        "bootcmd", "write_files", "mounts", "hostname", "fqdn", "preserve_hostname", "runcmd",
    ]

    /// Every key that some version of cloud-init reads.
    static let all = core.union(modules.values.joined())

    /// Whether this is the name of a module, as `cloud.cfg` spells it.
    public static func isModule(_ name: String) -> Bool {
        modules[name] != nil || name.hasPrefix("scripts_") || name == "write_files_deferred"
    }

    /// What a machine would change of itself with these keys, where it should be made with it.
    static let changing: Set = Set(
        [
            "package_update_upgrade_install", "apt_configure", "apt_pipelining", "snap", "ansible", "chef", "puppet",
            "salt_minion", "mcollective", "landscape", "lxd",
        ].flatMap { modules[$0] ?? [] }
    )
}
