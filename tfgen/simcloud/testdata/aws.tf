terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = { application = "shop" }
  }
}

locals {
  nodes = { a = {}, b = {} }
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["099720109477"]

  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"]
  }
}

resource "aws_key_pair" "node" {
  key_name   = "shop"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxQ nobody@example"
}

resource "aws_placement_group" "node" {
  name     = "shop"
  strategy = "spread"
}

resource "aws_security_group" "node" {
  name   = "shop"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  security_group_id = aws_security_group.node.id
  cidr_ipv4         = "10.0.0.0/8"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.node.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_instance" "node" {
  for_each = local.nodes

  ami                                  = "ami-0aaaaaaaaaaaaaaaa"
  instance_type                        = "t3.small"
  key_name                             = aws_key_pair.node.key_name
  subnet_id                            = data.aws_subnets.default.ids[0]
  placement_group                      = aws_placement_group.node.name
  vpc_security_group_ids               = [aws_security_group.node.id]
  instance_initiated_shutdown_behavior = "terminate"
  user_data                            = "#cloud-config\n"
  user_data_replace_on_change          = true

  metadata_options {
    http_tokens = "required"
  }

  root_block_device {
    volume_size = 20
  }

  instance_market_options {
    market_type = "spot"

    spot_options {
      max_price = "0.05"
    }
  }

  tags = { Name = "shop-${each.key}" }
}

resource "aws_eip" "node" {
  for_each = { a = {} }
  domain   = "vpc"
}

resource "aws_eip_association" "node" {
  for_each      = aws_eip.node
  allocation_id = each.value.id
  instance_id   = aws_instance.node[each.key].id
}

resource "aws_ebs_volume" "data" {
  availability_zone = aws_instance.node["b"].availability_zone
  size              = 5

  lifecycle {
    ignore_changes = [availability_zone]
  }
}

output "nodes" {
  value = { for key, node in aws_instance.node : key => {
    id         = node.id
    private_ip = node.private_ip
    public_ip  = try(aws_eip.node[key].public_ip, node.public_ip)
  } }
}
