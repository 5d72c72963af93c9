import Glibc

extension Visit {
    /// The places of a root at which its visitor finds what was carried in.
    enum Inner {
        static let kiln = "/usr/bin/kiln"
        static let package = "/srv/kiln.deb"
        static let hosts = "/usr/bin/kiln-hosts"
        static let checkout = "/srv/checkout"
        static let evidence = "/srv/evidence"
        /// What comes with kiln: of its package, or of the checkout.
        static var recipes: String { installed("/usr/share/kiln/images") ?? checkout + "/Images" }
        static var scenarios: String { installed("/usr/share/kiln/scenarios") ?? checkout + "/Scenarios" }

        private static func installed(_ path: String) -> String? { access(path, F_OK) == 0 ? path : nil }
    }

    /// The script that turns a process in new namespaces into the first one of a host.
    ///
    /// It stays, as that first one: a shell collects every process that is orphaned, and libvirt waits a minute for each
    /// QEMU of which nobody does.
    static let entrance = #"""
        set -eu
        root=$1 visit=$2 evidence=$3 kiln=$4 hosts=$5 checkout=$6 runtime=$7
        shift 7
        mkdir "$visit/root" "$visit/upper" "$visit/work"
        mount -t overlay -o "lowerdir=$root,upperdir=$visit/upper,workdir=$visit/work" overlay "$visit/root" ||
            { echo "no overlay can be mounted over $root" >&2; exit 1; }
        cd "$visit/root"
        mkdir -p outside srv/checkout/Images srv/checkout/Scenarios srv/checkout/.github srv/evidence ".$runtime"
        mount -t proc proc proc
        mount --rbind /dev dev
        mount --rbind /sys sys
        [ -z "$runtime" ] || mount --bind "$runtime" ".$runtime"
        touch usr/bin/kiln-hosts
        mount --bind "$hosts" usr/bin/kiln-hosts
        case $kiln in
        *.deb) tried=srv/kiln.deb ;;
        *)
            tried=usr/bin/kiln
            mount --bind "$checkout/Images" srv/checkout/Images
            mount --bind "$checkout/Scenarios" srv/checkout/Scenarios
            ;;
        esac
        touch "$tried"
        mount --bind "$kiln" "$tried"
        mount --bind "$checkout/.github" srv/checkout/.github
        mount --bind "$evidence" srv/evidence
        # The way to the mirrors: names, and whom to trust.
        for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
            [ ! -e "$file" ] || cp -L "$file" ".$file"
        done
        pivot_root . outside
        cd /srv/checkout
        umount -l /outside
        /usr/bin/kiln-hosts inside "$@"
        exit $?
        """#
}
