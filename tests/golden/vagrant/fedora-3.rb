# Written by Kubewright from its configuration. Changes to this file are overwritten.
# To use your own Vagrantfile, set machines.vagrant.vagrantfile.
Vagrant.configure('2') do |config|
  config.vm.define 'control-plane-1' do |machine|
    machine.vm.hostname = 'control-plane-1'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_version = '41.20241027.0'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.10', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'virtualbox' do |p|
      p.linked_clone = true
      p.cpus = 2
      p.memory = 2048
    end
  end

  config.vm.define 'worker-1' do |machine|
    machine.vm.hostname = 'worker-1'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_version = '41.20241027.0'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.19', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'virtualbox' do |p|
      p.linked_clone = true
      p.cpus = 2
      p.memory = 2048
    end
  end

  config.vm.define 'worker-2' do |machine|
    machine.vm.hostname = 'worker-2'
    machine.vm.box = 'fedora/41-cloud-base'
    machine.vm.box_version = '41.20241027.0'
    machine.vm.box_check_update = false
    machine.vm.network 'private_network', ip: '192.168.56.20', netmask: '255.255.255.0'
    machine.vm.synced_folder '.', '/vagrant', disabled: true
    machine.vm.provider 'virtualbox' do |p|
      p.linked_clone = true
      p.cpus = 2
      p.memory = 2048
    end
  end
end
