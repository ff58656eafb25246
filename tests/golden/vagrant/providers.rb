# Written by Kubewright from its configuration. Changes to this file are overwritten.
# To use your own Vagrantfile, set machines.vagrant.vagrantfile.
Vagrant.configure('2') do |config|
  config.vm.define 'docker' do |machine|
    machine.vm.hostname = 'docker'
    machine.vm.network 'private_network', ip: '192.168.56.14', netmask: 24
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'docker' do |p|
      p.image = 'kubewright/box:0123'
      p.pull = false
      p.has_ssh = true
      p.create_args = [
        '--cap-add',
        'ALL',
        '--device-cgroup-rule',
        'a *:* rwm',
      ]
    end
  end

  config.vm.define 'libvirt' do |machine|
    machine.vm.hostname = 'libvirt'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.11', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'libvirt' do |p|
      p.cpus = 4
      p.memory = 4096
      p.machine_virtual_size = 40
    end
  end

  config.vm.define 'lxc' do |machine|
    machine.vm.hostname = 'lxc'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_check_update = false
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'lxc' do |p|
      p.customize 'net.1.type', 'veth'
      p.customize 'net.1.link', 'lxcbr0'
      p.customize 'net.1.flags', 'up'
      p.customize 'net.1.ipv4.address', '192.168.56.15/24'
      p.customize 'cgroup2.memory.max', '4096M'
    end
  end

  config.vm.define 'parallels' do |machine|
    machine.vm.hostname = 'parallels'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.13', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'parallels' do |p|
      p.cpus = 4
      p.memory = 4096
      p.customize ['set', :id, '--device-set', 'hdd0', '--size', '40960']
    end
  end

  config.vm.define 'virtualbox' do |machine|
    machine.vm.hostname = 'virtualbox'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.10', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.disk :disk, size: '40GB', primary: true
    machine.vm.provider 'virtualbox' do |p|
      p.linked_clone = true
      p.cpus = 4
      p.memory = 4096
    end
  end

  config.vm.define 'vmware' do |machine|
    machine.vm.hostname = 'vmware'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.12', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.disk :disk, size: '40GB', primary: true
    machine.vm.provider 'vmware_desktop' do |p|
      p.vmx['numvcpus'] = '4'
      p.vmx['memsize'] = '4096'
    end
  end
end
