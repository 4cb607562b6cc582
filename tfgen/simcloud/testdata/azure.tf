terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}

provider "azurerm" {
  features {}
}

locals {
  nodes = { a = {}, b = {} }
}

data "azurerm_resource_group" "fleet" {
  name = "fleet"
}

data "azurerm_subnet" "fleet" {
  name                 = "default"
  virtual_network_name = "fleet"
  resource_group_name  = data.azurerm_resource_group.fleet.name
}

data "azurerm_network_security_group" "fleet" {
  name                = "fleet"
  resource_group_name = data.azurerm_resource_group.fleet.name
}

resource "azurerm_public_ip" "node" {
  for_each            = { a = {} }
  name                = "shop-${each.key}"
  location            = data.azurerm_resource_group.fleet.location
  resource_group_name = data.azurerm_resource_group.fleet.name
  allocation_method   = "Static"
}

resource "azurerm_network_interface" "node" {
  for_each            = merge(local.nodes, { w = {} })
  name                = "shop-${each.key}"
  location            = data.azurerm_resource_group.fleet.location
  resource_group_name = data.azurerm_resource_group.fleet.name

  ip_configuration {
    name                          = "main"
    subnet_id                     = data.azurerm_subnet.fleet.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = try(azurerm_public_ip.node[each.key].id, null)
  }
}

resource "azurerm_network_interface_security_group_association" "node" {
  for_each                  = azurerm_network_interface.node
  network_interface_id      = each.value.id
  network_security_group_id = data.azurerm_network_security_group.fleet.id
}

resource "azurerm_linux_virtual_machine" "node" {
  for_each              = local.nodes
  name                  = "shop-${each.key}"
  location              = data.azurerm_resource_group.fleet.location
  resource_group_name   = data.azurerm_resource_group.fleet.name
  size                  = "Standard_B2s"
  admin_username        = "ubuntu"
  custom_data           = base64encode("#cloud-config\n")
  network_interface_ids = [azurerm_network_interface.node[each.key].id]
  priority              = "Spot"
  eviction_policy       = "Delete"

  admin_ssh_key {
    username   = "ubuntu"
    public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxQ nobody@example"
  }

  identity {
    type = "SystemAssigned"
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Standard_LRS"
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "0001-com-ubuntu-server-jammy"
    sku       = "22_04-lts"
    version   = "latest"
  }

  tags = { application = "shop", node = each.key }
}

resource "azurerm_windows_virtual_machine" "node" {
  name                  = "shop-windows-of-a-long-name"
  computer_name         = "shop-w"
  location              = data.azurerm_resource_group.fleet.location
  resource_group_name   = data.azurerm_resource_group.fleet.name
  size                  = "Standard_D2s_v5"
  admin_username        = "operator"
  admin_password        = "Pa55word-SENTINEL"
  network_interface_ids = [azurerm_network_interface.node["w"].id]

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Standard_LRS"
  }

  source_image_reference {
    publisher = "MicrosoftWindowsServer"
    offer     = "WindowsServer"
    sku       = "2022-datacenter"
    version   = "latest"
  }
}

output "nodes" {
  value = { for key, node in azurerm_linux_virtual_machine.node : key => {
    id         = node.id
    private_ip = node.private_ip_address
    public_ip  = node.public_ip_address
  } }
}
