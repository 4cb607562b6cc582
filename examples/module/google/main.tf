terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
}

variable "nodes" {
  description = "The nodes and what each is created with, by name."
  type = map(object({
    user_data    = string
    machine_type = string
    image        = string
    spot         = optional(bool, false)
  }))
}

variable "zone" {
  description = "Zone of the machines."
  type        = string
}

variable "subnetwork" {
  description = "Subnetwork of the machines, by name."
  type        = string
}

variable "labels" {
  description = "Labels of the machines."
  type        = map(string)
  default     = {}
}

resource "google_compute_instance" "node" {
  for_each = var.nodes

  name         = each.key
  machine_type = each.value.machine_type
  zone         = var.zone
  labels       = merge(var.labels, { node = each.key })

  boot_disk {
    initialize_params {
      image = each.value.image
    }
  }

  network_interface {
    subnetwork = var.subnetwork

    access_config {}
  }

  scheduling {
    preemptible                 = each.value.spot
    automatic_restart           = !each.value.spot
    provisioning_model          = each.value.spot ? "SPOT" : "STANDARD"
    instance_termination_action = each.value.spot ? "DELETE" : null
  }

  metadata = {
    user-data = each.value.user_data
  }

  lifecycle {
    # Only a new machine can have another of these.
    ignore_changes = [boot_disk[0].initialize_params[0].image, machine_type, scheduling]
  }
}

output "nodes" {
  description = "Every node's identifier and addresses, by name."
  value = {
    for name, node in google_compute_instance.node : name => {
      id         = node.instance_id
      private_ip = node.network_interface[0].network_ip
      public_ip  = try(node.network_interface[0].access_config[0].nat_ip, null)
    }
  }
}
