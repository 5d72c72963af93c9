# What a server of this lab is to be like. Version 1 leaves it to whoever applies it in a machine.
if $facts['configured'] != 'later' {
  file { '/srv/www/role':
    ensure  => file,
    mode    => '0644',
    content => "shop\n",
  }
  file { '/etc/motd':
    ensure  => file,
    mode    => '0644',
    content => "configured by Puppet\n",
  }
}
