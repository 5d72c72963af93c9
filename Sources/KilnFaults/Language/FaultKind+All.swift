extension FaultKind {
    /// Every kind, in the order in which they are listed.
    package static let all: [FaultKind] = [
        PowerCut.kind, Freeze.kind, LinkCut.kind, LinkFlap.kind, LinkDelay.kind, LinkLoss.kind, NetworkSplit.kind,
        SlowDisk.kind, DiskFull.kind, ReadOnlyDisk.kind, DiskErrors.kind, ClockSkew.kind, VolumeInUse.kind,
        PortTaken.kind, KillService.kind, KillKiln.kind, BadImage.kind,
        BadUserData.kind, HostDiskFull.kind, KillLibvirtd.kind, BaseImageChanged.kind,
    ]
}
